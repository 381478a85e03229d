import { trustAudiencesOf, writeTrust } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import { fittingAudience } from "./core/audience.js";
import { AgentctlError } from "./core/errors.js";
import type { Claims } from "./core/identity.js";
import type { CloudName } from "./core/profile.js";
import type { Runtime } from "./core/runtime.js";
import type { TrustCaller, TrustDocument, TrustFormat } from "./core/trust.js";
import { acquireIdentity, scopeTrust } from "./identity/index.js";

/** What `agentctl setup` was asked for. */
export interface SetupRequest<Name extends CloudName = CloudName> {
  readonly cloud: Name;
  readonly profileName?: string;
  readonly configPath?: string;
  readonly format: TrustFormat<Name>;
  readonly identitySource?: string;
  /** An identity that is not at hand; absent: the caller's own. */
  readonly described?: { readonly issuer: string; readonly subject: string; readonly claims: Claims };
  /** Names of further claims that the trust is to be tied to. */
  readonly pins: readonly string[];
}

/**
 * Profile → identity → how narrow the trust can be → the text. Asks the identity's issuer for a token at most, and no
 * cloud for anything.
 * @throws {AgentctlError} USAGE for a description that describes nobody; TRUST_TOO_WIDE, CONFIG_*, PROFILE_UNKNOWN, POLICY_INVALID, NO_IDENTITY, IDENTITY_DENIED, TOKEN_*
 */
export async function prepareTrust<Name extends CloudName>(
  request: SetupRequest<Name>,
  runtime: Runtime,
): Promise<TrustDocument> {
  const profile = loadProfile(request, runtime);
  const audiences = await trustAudiencesOf(request.cloud, profile);
  const { described } = request;
  const caller =
    described === undefined
      ? await callerAtHand(request, profile.identitySource, audiences, runtime)
      : { ...described, audience: audiences[0] ?? "", origin: "as described, not from a token" };
  const scope = await scopeTrust(caller, request.pins).catch((thrown: unknown) => {
    throw described === undefined ? thrown : blameDescription(thrown);
  });
  return writeTrust(request.cloud, profile, scope, request.format);
}

async function callerAtHand(
  request: SetupRequest,
  profileSource: string,
  audiences: readonly string[],
  runtime: Runtime,
): Promise<TrustCaller> {
  const source = request.identitySource ?? profileSource;
  try {
    const identity = await acquireIdentity({ source, audiences: [{ cloud: request.cloud, audiences }] }, runtime);
    // The token's own words: an identity's are escaped, for the record.
    const token = await identity.mintToken(audiences);
    const { issuer, subject, claims } = token;
    const audience = fittingAudience(token, audiences);
    return { issuer, subject, audience, claims, origin: `${identity.source}: ${identity.reason}` };
  } catch (thrown) {
    if (thrown instanceof AgentctlError && thrown.code === "NO_IDENTITY") throw explainDescribing(thrown);
    throw thrown;
  }
}

/** What does not fit together in an identity that was described came by the command line, from no file. */
function blameDescription(thrown: unknown): unknown {
  if (!(thrown instanceof AgentctlError) || thrown.code !== "CONFIG_INVALID") return thrown;
  const { message, hint, facts } = thrown;
  return new AgentctlError("USAGE", message, { ...(hint !== undefined && { hint }), facts, cause: thrown });
}

function explainDescribing(cause: AgentctlError): AgentctlError {
  return new AgentctlError("NO_IDENTITY", cause.message, {
    hint: "run setup where the profile will be used, or describe that identity: --issuer URL --subject SUBJECT --claim NAME=VALUE …",
    facts: cause.facts,
    cause,
  });
}

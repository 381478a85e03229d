import { escapeControlCharacters } from "../core/control-characters.js";
import { AgentctlError } from "../core/errors.js";
import type { Identity, IdToken } from "../core/identity.js";
import type { CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { untilAborted } from "../core/until-aborted.js";
import { chooseToken } from "./choose-token.js";
import type { Detection, IdentitySource } from "./source.js";
import { keepTokens } from "./token-cache.js";
import { makeVisible } from "./visible-text.js";

/** Whose identity, and for whom tokens will be asked. */
export interface IdentityRequest {
  /** `auto`, or the name of a source. */
  readonly source: string;
  /** What the token of each cloud of the profile may be for; at least one cloud. */
  readonly audiences: readonly { readonly cloud: CloudName; readonly audiences: readonly string[] }[];
  /** Aborted when nobody waits any longer; the answer is then its reason. */
  readonly signal?: AbortSignal;
}

/** A source, and what it sees of itself. */
export interface SourceReport extends Detection {
  readonly name: string;
}

/**
 * Takes the first of `sources` that is there, or the one named, and obtains a checked token for every audience,
 * so that what is wrong with one shows before any cloud is asked.
 */
export async function acquireFrom(
  sources: readonly IdentitySource[],
  request: IdentityRequest,
  runtime: Runtime,
): Promise<Identity> {
  const { source, reason } = pickSource(sources, request.source, runtime);
  const mintToken = tokenMinter(source, request, runtime);
  const minting = Promise.all(request.audiences.map(({ audiences }) => mintToken(audiences)));
  const tokens = await (request.signal === undefined ? minting : untilAborted(minting, request.signal));
  const [first] = tokens;
  if (first === undefined) throw new AgentctlError("CONFIG_INVALID", "there is no cloud to get an identity for");
  return {
    source: source.name,
    reason,
    issuer: escapeControlCharacters(first.issuer),
    subject: escapeControlCharacters(first.subject),
    claims: first.claims,
    tokenSha256: first.sha256,
    ...(source.supply === "fixed" && { mintableUntil: Math.min(...tokens.map(({ expiresAt }) => expiresAt)) }),
    mintToken,
  };
}

function tokenMinter(source: IdentitySource, request: IdentityRequest, runtime: Runtime): Identity["mintToken"] {
  const mintToken = async (audiences: readonly string[]): Promise<IdToken> => {
    const clouds = request.audiences
      .filter((wanted) => wanted.audiences.join() === audiences.join())
      .map(({ cloud }) => cloud);
    const [first = "", ...others] = audiences;
    const candidates = await source.obtainTokens({ audiences: [first, ...others], clouds }, runtime);
    return chooseToken(candidates, audiences, runtime, source.advice);
  };
  return source.supply === "minted" ? keepTokens(mintToken, runtime) : mintToken;
}

interface PickedSource {
  readonly source: IdentitySource;
  readonly reason: string;
}

/**
 * The first source that is there, or the one named.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY
 */
export function pickSource(sources: readonly IdentitySource[], name: string, runtime: Runtime): PickedSource {
  if (name !== "auto") return pickNamed(sources, name, runtime);
  const misses: Detection[] = [];
  for (const source of sources) {
    const detection = source.detect(runtime);
    if (detection.found) return { source, reason: detection.reason };
    misses.push(detection);
  }
  throw noIdentity(misses);
}

function pickNamed(sources: readonly IdentitySource[], name: string, runtime: Runtime): PickedSource {
  const source = findSource(sources, name);
  const detection = source.detect(runtime);
  if (!detection.found) throw noIdentity([detection], name);
  return { source, reason: `asked for by name; ${detection.reason}` };
}

/** @throws {AgentctlError} USAGE for an unknown source */
export function findSource(sources: readonly IdentitySource[], name: string): IdentitySource {
  const source = sources.find((candidate) => candidate.name === name || kindOf(candidate) === name);
  if (source !== undefined) return source;
  throw new AgentctlError("USAGE", `there is no identity source "${makeVisible(name)}"`, {
    hint: `use auto, or one of ${sources.map(kindOf).join(", ")}`,
  });
}

/** A source of which there are several has the one that was chosen after a colon. */
export function kindOf({ name }: Pick<IdentitySource, "name">): string {
  return name.split(":", 1)[0] ?? name;
}

const GENERAL_HINT =
  "set AGENTCTL_ID_TOKEN or AGENTCTL_TOKEN_FILE to an OIDC token, or run in a GitHub Actions job with `permissions: id-token: write`, a GitLab job with `id_tokens`, or a pod with a projected token, or log in: agentctl login";

function noIdentity(misses: readonly Detection[], name?: string): AgentctlError {
  const looked = misses.map((miss) => miss.reason);
  const what = name === undefined ? "no identity was found" : `the identity source ${name} is not there`;
  return new AgentctlError("NO_IDENTITY", `${what}: ${looked.join("; ")}`, {
    hint: misses.find((miss) => miss.hint !== undefined)?.hint ?? GENERAL_HINT,
    facts: { looked },
  });
}

import { decodeProtectedHeader } from "jose";
import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Claims } from "../core/identity.js";
import { CLOUD_NAMES, type CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { pickSource } from "./acquire-identity.js";
import { checkValidity, type ReadToken, readToken } from "./check-token.js";
import { chooseToken } from "./choose-token.js";
import type { IdentitySource, TokenCandidate, TokenSupply } from "./source.js";
import { makeVisible } from "./visible-text.js";

/** Whose identity is looked at, and for whom its tokens would be. */
export interface InspectionRequest {
  /** `auto`, or the name of a source. */
  readonly source: string;
  /** For whom, and for which cloud if for one. None: whatever the source has, or one for nobody where it has to mint one. */
  readonly audiences: readonly { readonly audiences: readonly string[]; readonly cloud?: CloudName }[];
  /** A source that would have to ask a service is not made to; its `tokens` are then empty. */
  readonly offline?: boolean;
}

/** One token as it may be shown: what is in it, never the token. Texts are fit for a terminal. */
export interface SeenToken {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  /** Epoch ms. */
  readonly expiresAt: number;
  /** The claims worth policing and recording. */
  readonly claims: Claims;
  readonly sha256: string;
  /** By the token's own header, which nobody has vouched for yet. */
  readonly signature: { readonly algorithm: string; readonly keyId?: string };
}

/** What came of one token that was wanted or found. */
export interface TokenFinding {
  /** The audience that it was wanted for (several: `a or b`), and the clouds that want it. */
  readonly wanted?: string;
  readonly clouds: readonly CloudName[];
  readonly token?: SeenToken;
  /** Why it does not do. */
  readonly problem?: AgentctlError;
}

export interface IdentityInspection {
  readonly source: string;
  readonly reason: string;
  readonly supply: TokenSupply;
  readonly tokens: readonly TokenFinding[];
}

/** What a token is minted for that is only looked at: no cloud accepts it. */
const NOBODY = "agentctl-whoami";

/**
 * Looks at the tokens of the first of `sources` that is there, or of the one named. What is wrong with a token, or keeps
 * it from being had, is a finding.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY
 */
export async function inspectFrom(
  sources: readonly IdentitySource[],
  request: InspectionRequest,
  runtime: Runtime,
): Promise<IdentityInspection> {
  const { source, reason } = pickSource(sources, request.source, runtime);
  const isQuiet = request.offline === true && source.supply === "minted";
  const tokens = isQuiet ? [] : await lookAtTokens(source, request, runtime);
  return { source: source.name, reason, supply: source.supply, tokens };
}

function lookAtTokens(
  source: IdentitySource,
  { audiences }: InspectionRequest,
  runtime: Runtime,
): Promise<readonly TokenFinding[]> {
  if (audiences.length === 0) return lookAtAll(source, runtime);
  const lists = new Map(audiences.map((wanted) => [wanted.audiences.join(), wanted.audiences]));
  const cloudsOf = (key: string) =>
    audiences.flatMap((wanted) => (wanted.audiences.join() === key ? (wanted.cloud ?? []) : []));
  return Promise.all([...lists].map(([key, list]) => lookFor(list, cloudsOf(key), source, runtime)));
}

async function lookFor(
  audiences: readonly string[],
  clouds: readonly CloudName[],
  source: IdentitySource,
  runtime: Runtime,
): Promise<TokenFinding> {
  const wanted = { wanted: audiences.join(" or "), clouds };
  const [first = "", ...others] = audiences;
  try {
    const candidates = await source.obtainTokens({ audiences: [first, ...others], clouds }, runtime);
    return { ...wanted, token: show(chooseToken(candidates, audiences, runtime, source.advice)) };
  } catch (thrown) {
    return { ...wanted, problem: toAgentctlError(thrown) };
  }
}

async function lookAtAll(source: IdentitySource, runtime: Runtime): Promise<readonly TokenFinding[]> {
  try {
    const candidates = await source.obtainTokens({ audiences: [NOBODY], clouds: CLOUD_NAMES }, runtime);
    return candidates.map((candidate) => lookAt(candidate, source, runtime));
  } catch (thrown) {
    return [{ clouds: [], problem: toAgentctlError(thrown) }];
  }
}

function lookAt(candidate: TokenCandidate, source: IdentitySource, runtime: Runtime): TokenFinding {
  let token: ReadToken;
  try {
    token = readToken(candidate);
  } catch (thrown) {
    return { clouds: [], problem: toAgentctlError(thrown) };
  }
  try {
    checkValidity(token, runtime.now(), source.advice?.whenExpired);
    return { clouds: [], token: show(token) };
  } catch (thrown) {
    return { clouds: [], token: show(token), problem: toAgentctlError(thrown) };
  }
}

function show(token: Omit<ReadToken, "origin" | "start">): SeenToken {
  const { alg, kid } = decodeProtectedHeader(token.token.reveal());
  return {
    issuer: makeVisible(token.issuer),
    subject: makeVisible(token.subject),
    audience: token.audience.map((audience) => makeVisible(audience)),
    expiresAt: token.expiresAt,
    claims: token.claims,
    sha256: token.sha256,
    signature: {
      algorithm: makeVisible(String(alg), 40),
      ...(typeof kid === "string" && { keyId: makeVisible(kid, 100) }),
    },
  };
}

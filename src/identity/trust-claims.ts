import { AgentctlError } from "../core/errors.js";
import type { Claims } from "../core/identity.js";
import type { TrustCaller, TrustScope } from "../core/trust.js";
import { fitsGithub, narrowGithub } from "./trust-claims-github.js";
import { fitsGitlab, narrowGitlab } from "./trust-claims-gitlab.js";
import { isShared, narrowOther } from "./trust-claims-others.js";
import { checkText, contradiction, type Narrowing, textClaim, tooWide } from "./trust-claims-text.js";
import { fitsKubernetes, fitsSpiffe, narrowKubernetes, narrowSpiffe } from "./trust-claims-workloads.js";
import { makeVisible } from "./visible-text.js";

interface Kind {
  fits(caller: TrustCaller): boolean;
  narrow(caller: TrustCaller): Narrowing;
}

/** The first that fits. By the subject's form as well as the issuer, since every form here only adds demands. */
const KINDS: readonly Kind[] = [
  { fits: isShared, narrow: narrowOther },
  { fits: fitsGithub, narrow: narrowGithub },
  { fits: fitsGitlab, narrow: narrowGitlab },
  { fits: fitsKubernetes, narrow: narrowKubernetes },
  { fits: fitsSpiffe, narrow: narrowSpiffe },
  { fits: () => true, narrow: narrowOther },
];

/** Claims that differ from token to token or from commit to commit: what has them in it never matches again. */
const PASSING_CLAIMS: readonly string[] = [
  ...["exp", "iat", "nbf", "jti", "auth_time", "sha", "workflow_sha", "job_workflow_sha", "ci_config_sha"],
  ...["run_id", "run_number", "run_attempt", "check_run_id", "pipeline_iid", "job_id", "build_number", "build_commit"],
  ...[
    "terraform_run_id",
    "stepUuid",
    "pipelineRunUuid",
    "machine_id",
    "kubernetes.io.pod.name",
    "kubernetes.io.pod.uid",
  ],
];
/** Shorter ones stand in a subject by chance. */
const TELLING_CHARACTERS = 6;

/**
 * How the trust in this caller is to be narrowed.
 * @param pins names of further claims that it is to be tied to
 * @throws {AgentctlError} TRUST_TOO_WIDE where others than the caller meant could use it; CONFIG_INVALID where what is
 *   known of the caller does not fit together
 */
export function scopeTrust(caller: TrustCaller, pins: readonly string[] = []): TrustScope {
  checkIssuer(caller.issuer);
  checkText("subject", caller.subject);
  checkText("audience", caller.audience);
  refusePassingSubject(caller);
  const kind = KINDS.find(({ fits }) => fits(caller)) as Kind;
  const narrowing = addPins(kind.narrow(caller), caller.claims, pins);
  const { issuer, subject, audience, origin } = caller;
  return { issuer, subject, audience, origin, ...narrowing };
}

/** An address that a cloud can fetch the issuer's keys from: OpenID Connect Discovery §2. */
function checkIssuer(issuer: string): void {
  checkText("issuer", issuer);
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isPlain = /^https:\/\/[a-z0-9.-]+(:\d+)?(\/[\w.~%-]*)*$/i.test(issuer);
  if (url !== undefined && isPlain && url.username === "") return;
  throw contradiction(
    `the issuer ${makeVisible(issuer)} is not an https:// address without a query`,
    "write it exactly as the `iss` claim has it, such as https://token.actions.githubusercontent.com",
  );
}

function refusePassingSubject({ subject, claims }: TrustCaller): void {
  const passing = PASSING_CLAIMS.find((name) => {
    const value = claims[name];
    return typeof value === "string" && value.length >= TELLING_CHARACTERS && subject.includes(value);
  });
  if (passing === undefined && !/:commit:[0-9a-f]{7,}/.test(subject)) return;
  throw new AgentctlError(
    "CONFIG_INVALID",
    `the subject changes from run to run: it has ${passing ?? "the commit"} in it`,
    { hint: "have the issuer make its subject of what stays, such as the project and the branch" },
  );
}

function addPins(narrowing: Narrowing, claims: Claims, pins: readonly string[]): Narrowing {
  const added = pins.map((claim) => {
    if (PASSING_CLAIMS.includes(claim)) {
      throw contradiction(`--pin ${claim} would never match again`, "pin what stays from run to run");
    }
    const known = narrowing.tests.find((test) => test.claim === claim);
    const value = known?.value ?? textClaim(claims, claim);
    if (value !== undefined) return { claim, value, why: known?.why ?? "asked for with --pin" };
    throw tooWide(`the claim ${makeVisible(claim)} is to be pinned, and the identity has none`, "see agentctl whoami");
  });
  const others = narrowing.tests.filter(({ claim }) => !pins.includes(claim));
  return { ...narrowing, tests: [...others, ...added], needs: [...new Set([...narrowing.needs, ...pins])] };
}

import type { Claims } from "../core/identity.js";
import type { ClaimBan, TrustCaller } from "../core/trust.js";
import {
  checkAgreement,
  type Gap,
  type Narrowing,
  refuseGaps,
  testsOf,
  textClaim,
  tooWide,
} from "./trust-claims-text.js";

/** The default; a project can choose other components, and then the subject alone may be wide. */
const SUBJECT = /^project_path:(?<path>[\w./-]+):ref_type:(?<type>branch|tag):ref:(?<ref>.+)$/;
const MERGE_REQUESTS = ["merge_request_event", "external_pull_request_event"];
const NO_MERGE_REQUESTS: ClaimBan = {
  claim: "pipeline_source",
  values: MERGE_REQUESTS,
  why: "what a merge request brings with it is not the project's yet",
};

/** Jobs of GitLab, gitlab.com or another instance. Source: https://docs.gitlab.com/ci/secrets/id_token_authentication */
export function fitsGitlab({ issuer, subject, claims }: TrustCaller): boolean {
  const isIssuer = issuer === "https://gitlab.com";
  return isIssuer || subject.startsWith("project_path:") || Object.hasOwn(claims, "ci_config_ref_uri");
}

/** @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID */
export function narrowGitlab({ subject, claims }: TrustCaller): Narrowing {
  const parts = SUBJECT.exec(subject)?.groups;
  refuseMergeRequest(claims);
  checkAgreement(claims, "project_path", parts?.["path"]);
  checkAgreement(claims, "ref", parts?.["ref"]);
  checkAgreement(claims, "ref_type", parts?.["type"]);
  const place = placeOf(claims);
  refuseGaps([...projectGaps(claims), ...placeGaps(place)]);
  const ids = {
    project_id: "the project by its id: a path can be given up and taken by somebody else",
    namespace_id: "its group by id, so that a transferred project loses the trust",
  };
  const isWhole = parts !== undefined && "ref_protected" in place;
  return {
    subjectWhy:
      parts === undefined ? "exactly as the project's own settings make it" : "the project and the ref, exactly",
    tests: [...testsOf(claims, ids), ...testsOf(claims, place)],
    bans: [NO_MERGE_REQUESTS],
    needs: isWhole ? [] : ["project_id", ...Object.keys(place)],
    notes: [],
  };
}

function refuseMergeRequest(claims: Claims): void {
  if (!MERGE_REQUESTS.includes(textClaim(claims, "pipeline_source") ?? "")) return;
  throw tooWide(
    "this identity is a merge request's, and anybody who may open one would be trusted",
    "run setup in a pipeline of a protected branch",
  );
}

function projectGaps(claims: Claims): readonly Gap[] {
  if (textClaim(claims, "project_id") !== undefined) return [];
  return [
    {
      lacks: "the project's id is not known, and its path may be somebody else's tomorrow",
      hint: "add --claim project_id=ID; the project's page shows it, or `glab api projects/GROUP%2FPROJECT`",
    },
  ];
}

function placeGaps(place: Readonly<Record<string, string>>): readonly Gap[] {
  if (Object.keys(place).length > 0) return [];
  return [
    {
      lacks: "the ref is not protected, nor is there a protected environment: whoever may push would be trusted",
      hint: "run setup in a job on a protected branch or with a protected environment (for one described: --claim ref_protected=true)",
    },
  ];
}

/** The tests that say from where in the project; none where anybody could be there. A variable can name any environment: only a protected one narrows. */
function placeOf(claims: Claims): Readonly<Record<string, string>> {
  const isProtectedRef = textClaim(claims, "ref_protected") === "true";
  const environment =
    textClaim(claims, "environment") !== undefined && textClaim(claims, "environment_protected") === "true";
  return {
    ...(isProtectedRef && { ref_protected: "a ref that only those may push to whom the project lets" }),
    ...(environment && {
      environment: "the environment, which the project protects",
      environment_protected: "and goes on protecting",
    }),
  };
}

import type { Claims } from "../core/identity.js";
import type { ClaimBan, ClaimTest, TrustCaller } from "../core/trust.js";
import {
  checkAgreement,
  contradiction,
  type Gap,
  type Narrowing,
  refuseGaps,
  testsOf,
  textClaim,
  tooWide,
} from "./trust-claims-text.js";

const ISSUERS = [
  /^https:\/\/token\.actions\.githubusercontent\.com(\/[\w-]+)?$/,
  /^https:\/\/token\.actions\.[\w-]+\.ghe\.com$/,
  /^https:\/\/[^/]+\/_services\/token$/,
];
/** Both forms: `repo:OWNER/REPO:…`, and with ids that are never given twice, `repo:OWNER@ID/REPO@ID:…`. */
const SUBJECT = /^repo:(?<owner>[\w.-]+)(?:@(?<ownerId>\d+))?\/(?<repo>[\w.-]+)(?:@(?<repoId>\d+))?:(?<context>.+)$/;
const CONTEXT = /^(?<kind>environment|ref):(?<name>.+)$/;

const PULL_REQUESTS = ["pull_request", "pull_request_target"];
const NO_PULL_REQUESTS: ClaimBan = {
  claim: "event_name",
  values: PULL_REQUESTS,
  why: "what a pull request brings with it is not the repository's yet",
};
const ENVIRONMENT_HINT =
  "give the job an `environment` with protection rules and run setup there, or run it on a protected branch";

/** Jobs of GitHub Actions. Source: https://docs.github.com/actions/reference/security/oidc */
export function fitsGithub({ issuer, subject, claims }: TrustCaller): boolean {
  const isIssuer = ISSUERS.some((pattern) => pattern.test(issuer));
  return isIssuer || subject.startsWith("repo:") || Object.hasOwn(claims, "job_workflow_ref");
}

/** @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID */
export function narrowGithub({ subject, claims }: TrustCaller): Narrowing {
  refusePullRequest(subject, claims);
  const parts = SUBJECT.exec(subject)?.groups;
  const context = CONTEXT.exec(parts?.["context"] ?? "")?.groups;
  checkParts(claims, parts, context);
  const known = { ...idsOf(parts), ...claims };
  const origin = placeOf(known, context);
  refuseGaps([...repositoryGaps(known), ...placeGaps(origin)]);
  const place = placeTests(origin);
  const ids = testsOf(known, {
    repository_id: "the repository by its id: a name can be given up and taken by somebody else",
    repository_owner_id: "its owner by id, so that a transferred repository loses the trust",
  });
  const isWhole = context !== undefined;
  return {
    subjectWhy: isWhole
      ? `the repository and the ${context["kind"] === "ref" ? "branch or tag" : "environment"}, exactly`
      : "exactly as the repository's own template makes it",
    tests: [...ids, ...place],
    bans: [NO_PULL_REQUESTS],
    needs: isWhole ? [] : ["repository_id", ...place.slice(0, 1).map(({ claim }) => claim)],
    notes: notesOf(parts, place),
  };
}

function refusePullRequest(subject: string, claims: Claims): void {
  const event = textClaim(claims, "event_name") ?? "";
  const ref = textClaim(claims, "ref") ?? "";
  const isOne =
    PULL_REQUESTS.includes(event) || /^refs\/pull\//.test(ref) || /:pull_request$|:refs\/pull\//.test(subject);
  if (!isOne) return;
  throw tooWide(
    "this identity is a pull request's, and anybody who may open one would be trusted",
    `run setup for what runs after the merge: ${ENVIRONMENT_HINT}`,
  );
}

function checkParts(claims: Claims, parts: SubjectParts, context: SubjectParts): void {
  const { owner, repo, ownerId, repoId } = parts ?? {};
  checkAgreement(claims, "repository", repo === undefined ? undefined : `${owner}/${repo}`);
  checkAgreement(claims, "repository_id", repoId);
  checkAgreement(claims, "repository_owner_id", ownerId);
  const named = context?.["name"];
  if (context?.["kind"] === "ref" && !/^refs\/(heads|tags)\/./.test(named ?? "")) {
    throw tooWide(`the subject's ref ${named} is neither a branch nor a tag`, ENVIRONMENT_HINT);
  }
  if (context !== undefined) checkAgreement(claims, context["kind"] ?? "", named);
}

type SubjectParts = Readonly<Record<string, string | undefined>> | undefined;

function idsOf(parts: SubjectParts): Claims {
  const { ownerId, repoId } = parts ?? {};
  return {
    ...(repoId !== undefined && { repository_id: repoId }),
    ...(ownerId !== undefined && { repository_owner_id: ownerId }),
  };
}

function repositoryGaps(claims: Claims): readonly Gap[] {
  const id = textClaim(claims, "repository_id");
  if (id === undefined) {
    return [
      {
        lacks: "the repository's id is not known, and its name may be somebody else's tomorrow",
        hint: "add --claim repository_id=ID and --claim repository_owner_id=ID; `gh api repos/OWNER/REPO --jq '.id, .owner.id'` tells both",
      },
    ];
  }
  if (!/^\d+$/.test(id)) throw contradiction(`the claim repository_id is ${id}, which is not a number`);
  return [];
}

/** From where in the repository. */
interface Place {
  readonly environment: string | undefined;
  readonly ref: string | undefined;
  readonly isProtected: boolean;
}

function placeOf(claims: Claims, context: SubjectParts): Place {
  const given = (kind: string) => (context?.["kind"] === kind ? context["name"] : undefined);
  return {
    environment: textClaim(claims, "environment") ?? given("environment"),
    ref: textClaim(claims, "ref") ?? given("ref"),
    isProtected: textClaim(claims, "ref_protected") === "true",
  };
}

function placeGaps({ environment, ref, isProtected }: Place): readonly Gap[] {
  if (environment !== undefined || isProtected) return [];
  const what =
    ref === undefined ? "the identity names no environment, and no ref" : `nothing says that ${ref} is protected`;
  return [
    {
      lacks: `${what}: whoever may push would be trusted`,
      hint: `${ENVIRONMENT_HINT} (for one described: --claim ref_protected=true)`,
    },
  ];
}

/** The environment, and the branch where it is protected, for as long as it is. */
function placeTests({ environment, ref, isProtected }: Place): readonly ClaimTest[] {
  const isPinnable = isProtected && (environment === undefined || (ref ?? "").startsWith("refs/heads/"));
  return testsOf(
    { ...(environment !== undefined && { environment }), ...(isPinnable && { ref, ref_protected: "true" }) },
    {
      environment: "the environment, whose protection rules decide who gets there",
      ref: "the protected branch or tag",
      ref_protected: "that it still is protected: the trust ends when its protection is taken off",
    },
  );
}

function notesOf(parts: SubjectParts, place: readonly ClaimTest[]): readonly string[] {
  const notes: string[] = [];
  const environment = place.find(({ claim }) => claim === "environment")?.value;
  if (environment !== undefined) {
    notes.push(
      `the environment ${environment} guards this trust: require reviewers for it, or limit the branches that may deploy to it`,
    );
  }
  if (parts !== undefined && parts["repoId"] === undefined) {
    notes.push(
      "the subject has the repository's name without its id: GitHub's immutable subjects have both, and this trust is to be written again after the change",
    );
  }
  return notes;
}

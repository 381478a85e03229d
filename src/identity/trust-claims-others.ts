import type { TrustCaller } from "../core/trust.js";
import { type Narrowing, testsOf, tooWide } from "./trust-claims-text.js";

/** An issuer that many organisations share: what its subject must look like to mean one of them. */
interface SharedIssuer {
  readonly issuer: RegExp;
  readonly name: string;
  /** Absent: no subject will do. */
  readonly subject?: RegExp;
  readonly hint: string;
  /** Tested besides where they are there, with why. */
  readonly tests?: Readonly<Record<string, string>>;
}

const PEOPLE_HINT = "use the issuer of your own organisation: anybody can have an account with this one";
/** What Microsoft's issuers carry in the place of a tenant: any tenant, or that of everybody's private account. */
const NO_TENANT = "common|organizations|consumers|9188040d-6c67-4c5b-b112-36a304b66dad";

const SHARED_ISSUERS: readonly SharedIssuer[] = [
  {
    issuer: new RegExp(`^https://(login\\.microsoftonline\\.com|sts\\.windows\\.net)/(${NO_TENANT})(/|$)`),
    name: "Microsoft Entra for every tenant",
    hint: "use the issuer with your tenant's id in it",
  },
  {
    issuer: /^https:\/\/accounts\.google\.com$/,
    name: "Google",
    subject: /^\d{15,}$/,
    hint: "the subject must be the numeric id of one service account, `gcloud iam service-accounts describe EMAIL --format='value(uniqueId)'`",
  },
  { issuer: /^https:\/\/(www\.)?(facebook|amazon)\.com$/, name: "a login for everybody", hint: PEOPLE_HINT },
  {
    issuer: /^https:\/\/(cognito-identity\.amazonaws\.com|appleid\.apple\.com)$/,
    name: "a login for everybody",
    hint: PEOPLE_HINT,
  },
  {
    issuer: /^https:\/\/oidc\.circleci\.com\/org\/[\w-]+$/,
    name: "CircleCI",
    subject: /^org\/[\w-]+\/project\/[\w-]+\/user\/[\w-]+\/vcs-origin\/[^:]+\/vcs-ref\/refs\/heads\/.+$/,
    hint: "use CIRCLE_OIDC_TOKEN_V2 of a job on a branch: its subject names the project, the repository and the branch",
    tests: { "oidc.circleci.com/project-id": "the project by its id" },
  },
  {
    issuer: /^https:\/\/oidc\.circleci\.com/,
    name: "CircleCI for every organisation",
    hint: "use the issuer with your organisation's id in it",
  },
  {
    issuer: /^https:\/\/agent\.buildkite\.com$/,
    name: "Buildkite",
    subject: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    hint: "ask for the token with --subject-claim pipeline_id: a subject that is stable, and one pipeline's",
    tests: {
      organization_id: "the organisation by its id",
      pipeline_id: "the pipeline by its id",
      build_branch: "the branch",
    },
  },
  {
    issuer: /^https:\/\/app\.terraform\.io$/,
    name: "HCP Terraform",
    subject: /^organization:[^:]+:project:[^:]+:workspace:[^:]+:run_phase:[^:]+$/,
    hint: "the subject must name one organization, project, workspace and run phase",
    tests: {
      terraform_organization_id: "the organization by its id",
      terraform_workspace_id: "the workspace by its id",
    },
  },
  {
    issuer: /^https:\/\/oidc\.vercel\.com$/,
    name: "Vercel",
    subject: /^owner:[^:]+:project:[^:]+:environment:(production|[\w-]+)$/,
    hint: "the subject must name one team, project and environment",
    tests: { owner_id: "the team by its id", project_id: "the project by its id" },
  },
];

export function isShared({ issuer }: TrustCaller): boolean {
  return SHARED_ISSUERS.some((one) => one.issuer.test(issuer));
}

/** Every other issuer: its own organisation's, or one of the known shared ones, with the subject exactly. */
export function narrowOther({ issuer, subject, claims }: TrustCaller): Narrowing {
  const shared = SHARED_ISSUERS.find((one) => one.issuer.test(issuer));
  if (shared !== undefined && shared.subject?.test(subject) !== true) {
    throw tooWide(`${issuer} is ${shared.name}, and the subject ${subject} does not narrow it enough`, shared.hint);
  }
  const rerun = claims["oidc.circleci.com/ssh-rerun"];
  if (rerun === true || rerun === "true") {
    throw tooWide("this job was started again with SSH, by whoever sits at it", "run setup in a job of the pipeline");
  }
  const isBuildkite = shared?.name === "Buildkite";
  return {
    subjectWhy: "this one subject, exactly",
    tests: testsOf(claims, shared?.tests ?? {}),
    bans: [],
    needs: isBuildkite ? ["pipeline_id", "build_branch"] : [],
    notes: [
      shared === undefined
        ? "nothing is known of this issuer: check that no one else can get a token with this subject from it"
        : `${issuer} is shared: the subject is what keeps others out`,
    ],
  };
}

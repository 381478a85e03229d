import { AgentctlError } from "../../../core/errors.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { TrustRequest } from "../../../core/trust.js";
import { conditionLines, headerLines } from "../../setup/header.js";
import { poolMember } from "../provider.js";
import { attributeCondition, mappedSubject } from "./cel.js";

/** A role on one bucket. */
export interface BucketGrant {
  readonly bucket: string;
  readonly role: string;
}

export interface ServiceAccount {
  readonly email: string;
  readonly accountId: string;
  /** Absent where the address does not tell: such an account cannot be made, only used. */
  readonly projectId?: string;
}

/** All that is to be written, in whatever language. */
export interface GcpTrustPlan {
  readonly issuer: string;
  readonly audience: string;
  readonly projectNumber: string;
  readonly poolId: string;
  readonly providerId: string;
  readonly subjectExpression: string;
  readonly condition: string;
  /** `principal://…/subject/…`: one subject of the pool. */
  readonly principal: string;
  readonly serviceAccount?: ServiceAccount;
  /** Who is given the buckets: the service account, else the principal. */
  readonly grantee: string;
  readonly buckets: readonly BucketGrant[];
  readonly header: readonly string[];
  readonly conditions: readonly string[];
  readonly notes: readonly string[];
}

/** @throws {AgentctlError} CONFIG_INVALID */
export function planGcpTrust(request: TrustRequest<"gcp">): GcpTrustPlan {
  const { scope, settings } = request;
  const [, projectNumber = "", , , , poolId = "", , providerId = ""] = settings.workloadIdentityProvider.split("/");
  const subject = mappedSubject(scope, scope.tests);
  const principal = poolMember(settings, subject.value);
  const serviceAccount = serviceAccountOf(settings);
  const buckets = bucketsOf(settings);
  const notes = [...scope.notes, ...notesOf(buckets, providerId)];
  const tests = [{ claim: "sub", why: scope.subjectWhy }, ...scope.tests, ...scope.bans];
  return {
    issuer: scope.issuer,
    audience: checkAudience(scope.audience),
    projectNumber,
    poolId,
    providerId,
    subjectExpression: subject.expression,
    condition: attributeCondition(scope, scope.tests, scope.bans),
    principal,
    ...(serviceAccount !== undefined && { serviceAccount }),
    grantee: serviceAccount === undefined ? principal : `serviceAccount:${serviceAccount.email}`,
    buckets,
    header: headerLines(request, "Google Cloud's side of the trust", notes),
    conditions: [
      "A token is taken only when all of this holds; a claim that is missing is a refusal:",
      ...conditionLines(tests),
    ],
    notes,
  };
}

/** `NAME@PROJECT.iam.gserviceaccount.com`; a project of a domain is written `PROJECT.DOMAIN` there and `DOMAIN:PROJECT` elsewhere. */
function serviceAccountOf({ serviceAccount: email }: GcpSettings): ServiceAccount | undefined {
  if (email === undefined) return undefined;
  const [accountId = "", host = ""] = email.split("@");
  const project = /^(?<project>[a-z0-9-]+)(?:\.(?<domain>[a-z0-9.-]+))?\.iam\.gserviceaccount\.com$/.exec(host)?.groups;
  const { project: name, domain } = project ?? {};
  if (name === undefined) return { email, accountId };
  return { email, accountId, projectId: domain === undefined ? name : `${domain}:${name}` };
}

function bucketsOf({ accessBoundary }: GcpSettings): readonly BucketGrant[] {
  const grants = accessBoundary.flatMap(({ availableResource, availablePermissions }) =>
    availablePermissions.map((permission) => ({
      bucket: availableResource.replace(/^.*\//, ""),
      role: permission.replace(/^inRole:/, ""),
    })),
  );
  return [...new Map(grants.map((grant) => [`${grant.bucket} ${grant.role}`, grant])).values()];
}

function notesOf(buckets: readonly BucketGrant[], providerId: string): readonly string[] {
  const notes = [
    `the condition is the whole provider's: another profile that uses ${providerId} needs a provider of its own, in a pool of its own, since a principal is named by its pool`,
  ];
  if (buckets.length > 0) return notes;
  return [
    ...notes,
    "the profile has no access_boundary, so no permission is given: give the roles that the task needs",
  ];
}

function checkAudience(audience: string): string {
  if (!audience.includes(",")) return audience;
  throw new AgentctlError(
    "CONFIG_INVALID",
    `the audience ${audience} has a comma in it, which gcloud takes for a list`,
    {
      hint: "leave gcp.audience out: the provider's own name is its audience then",
    },
  );
}

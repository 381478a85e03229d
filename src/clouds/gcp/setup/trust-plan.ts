import { AgentctlError } from "../../../core/errors.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { TrustRequest } from "../../../core/trust.js";
import { conditionLines, headerLines } from "../../setup/header.js";
import { poolMember } from "../provider.js";
import { applyNotes, awayNotes } from "./apply-notes.js";
import { attributeCondition, mappedSubject } from "./cel.js";
import { granterNotes } from "./granter-notes.js";
import { planGranter } from "./granter-plan.js";
import type { BucketGrant, PlannedParts } from "./planned-parts.js";
import { serviceAccountAt } from "./service-account.js";

/** All that is to be written, in whatever language. */
export interface GcpTrustPlan extends PlannedParts {
  readonly issuer: string;
  readonly audience: string;
  readonly subjectExpression: string;
  readonly condition: string;
  /** Who is given the buckets: the service account, else the principal. */
  readonly grantee: string;
  /** Whether anything is given for the time of a lease alone. */
  readonly givesForLease: boolean;
  readonly header: readonly string[];
  readonly conditions: readonly string[];
  readonly notes: readonly string[];
}

const NOTHING_GIVEN =
  "the profile has no access_boundary, so no permission is given: give the roles that the task needs";

/** @throws {AgentctlError} CONFIG_INVALID */
export function planGcpTrust(request: TrustRequest<"gcp">): GcpTrustPlan {
  const { scope, settings } = request;
  const [, projectNumber = "", , , , poolId = "", , providerId = ""] = settings.workloadIdentityProvider.split("/");
  const subject = mappedSubject(scope, scope.tests);
  const principal = poolMember(settings, subject.value);
  const { serviceAccount: email, bindings, entitlement } = settings;
  const serviceAccount = email === undefined ? undefined : serviceAccountAt(email);
  const grantee = serviceAccount === undefined ? principal : `serviceAccount:${serviceAccount.email}`;
  const granter = planGranter(request.profileName, settings);
  const givesForLease = bindings.length > 0 || entitlement !== undefined;
  const buckets = bucketsOf(settings);
  const made: PlannedParts = {
    profileName: request.profileName,
    projectNumber,
    poolId,
    providerId,
    principal,
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(granter !== undefined && { granter }),
    buckets,
  };
  const notes = [
    ...scope.notes,
    ...(buckets.length > 0 || givesForLease ? [] : [NOTHING_GIVEN]),
    ...granterNotes(settings, granter, grantee),
    ...applyNotes(made, settings, request.format),
  ];
  const tests = [{ claim: "sub", why: scope.subjectWhy }, ...scope.tests, ...scope.bans];
  return {
    ...made,
    issuer: scope.issuer,
    audience: checkAudience(scope.audience),
    subjectExpression: subject.expression,
    condition: attributeCondition(scope, scope.tests, scope.bans),
    grantee,
    givesForLease,
    header: headerLines(request, "Google Cloud's side of the trust", notes, awayNotes(made, request.format)),
    conditions: [
      "A token is taken only when all of this holds; a claim that is missing is a refusal:",
      ...conditionLines(tests),
    ],
    notes,
  };
}

/** What the boundary leaves, but for what is given for the time of a lease. */
function bucketsOf({ accessBoundary, bindings }: GcpSettings): readonly BucketGrant[] {
  const forLease = bindings.map(({ role, resource }) => `${resource.replace(/^.*\//, "")} ${role}`);
  const grants = accessBoundary.flatMap(({ availableResource, availablePermissions }) =>
    availablePermissions.map((permission) => ({
      bucket: availableResource.replace(/^.*\//, ""),
      role: permission.replace(/^inRole:/, ""),
    })),
  );
  const byName = new Map(grants.map((grant) => [`${grant.bucket} ${grant.role}`, grant]));
  return [...byName].filter(([name]) => !forLease.includes(name)).map(([, grant]) => grant);
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

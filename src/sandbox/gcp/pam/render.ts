import type { GcpEntitlement } from "../world.js";
import { holderNameOf, isOpen, type PamGrant } from "./grant.js";

const TYPES: Readonly<Record<string, string>> = {
  projects: "Project",
  folders: "Folder",
  organizations: "Organization",
};
const MESSAGES = "type.googleapis.com/google.cloud.privilegedaccessmanager";

/** A grant as the API tells it. */
export function describeGrant(grant: PamGrant, entitlement: GcpEntitlement): Record<string, unknown> {
  const { request, accessGrantedAt, accessRemovedAt } = grant;
  return {
    name: grant.name,
    createTime: formatTime(grant.createdAt),
    updateTime: formatTime(grant.events.at(-1)?.at ?? grant.createdAt),
    requester: request.requester,
    requestedDuration: `${request.seconds}s`,
    ...(request.justification !== undefined && {
      justification: { unstructuredJustification: request.justification },
    }),
    state: grant.state,
    timeline: { events: grant.events.map(({ at, what }) => ({ eventTime: formatTime(at), ...what })) },
    privilegedAccess: describeAccess(grant.entitlement, entitlement),
    ...(accessGrantedAt !== undefined && {
      auditTrail: {
        accessGrantTime: formatTime(accessGrantedAt),
        ...(accessRemovedAt !== undefined && { accessRemoveTime: formatTime(accessRemovedAt) }),
      },
    }),
    ...(grant.externallyModified === true && { externallyModified: true }),
  };
}

export function describeEntitlement(name: string, entitlement: GcpEntitlement): Record<string, unknown> {
  return {
    name,
    state: "AVAILABLE",
    maxRequestDuration: `${entitlement.maxRequestSeconds}s`,
    eligibleUsers: [{ principals: entitlement.eligibleUsers }],
    privilegedAccess: describeAccess(name, entitlement),
    requesterJustificationConfig:
      entitlement.justification === "required" ? { unstructured: {} } : { notMandatory: {} },
    ...(entitlement.approval === "manual" && {
      approvalWorkflow: { manualApprovals: { steps: [{ approvalsNeeded: 1 }] } },
    }),
  };
}

/** What ends a grant, its revocation or its withdrawal, which is in the beta alone; done when the grant has ended. */
export function describeOperation(name: string, grant: PamGrant, entitlement: GcpEntitlement): Record<string, unknown> {
  const isDone = !isOpen(grant);
  const isWithdrawal = grant.state === "WITHDRAWING" || grant.state === "WITHDRAWN";
  const { verb, apiVersion } = isWithdrawal
    ? { verb: "withdraw", apiVersion: "v1beta" }
    : { verb: "revoke", apiVersion: "v1" };
  const messages = `${MESSAGES}.${apiVersion}`;
  return {
    name,
    metadata: { "@type": `${messages}.OperationMetadata`, target: grant.name, verb, apiVersion },
    done: isDone,
    ...(isDone && { response: { "@type": `${messages}.Grant`, ...describeGrant(grant, entitlement) } }),
  };
}

function describeAccess(name: string, { roles }: GcpEntitlement): Record<string, unknown> {
  const holder = holderNameOf(name);
  return {
    gcpIamAccess: {
      resourceType: `cloudresourcemanager.googleapis.com/${TYPES[holder.split("/")[0] ?? ""]}`,
      resource: `//cloudresourcemanager.googleapis.com/${holder}`,
      roleBindings: roles.map(({ role, condition }) => ({
        role,
        ...(condition !== undefined && { conditionExpression: condition }),
      })),
    },
  };
}

function formatTime(at: number): string {
  return new Date(at).toISOString();
}

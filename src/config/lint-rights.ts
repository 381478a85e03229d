import { formatDuration } from "../core/durations.js";
import type { AzureSettings, GcpSettings, Profile } from "../core/profile.js";
import type { ProfileFinding } from "./problems.js";
import { DEFAULT_TIMEOUT_SECONDS } from "./schema-ready.js";

/** Azure takes back nothing that was given less than this ago. */
const UNREVOCABLE_SECONDS = 300;

/** What a profile says of rights for the time of a lease that has no effect, or another than it seems. */
export function lintRights({ clouds }: Profile): readonly ProfileFinding[] {
  return [
    ...(clouds.azure === undefined ? [] : findInAzure(clouds.azure)),
    ...(clouds.gcp === undefined ? [] : findInGcp(clouds.gcp)),
  ];
}

function findInAzure(azure: AzureSettings): readonly ProfileFinding[] {
  const { assignments, allowUnbounded, granter, ready, otherClientIds } = azure;
  const found: ProfileFinding[] = [];
  if (assignments.length === 0) {
    if (granter !== undefined) found.push(unusedGranter("azure", "assignments"));
    if (allowUnbounded) found.push(unused(["azure", "allow_unbounded"], "there are no assignments"));
    if (otherClientIds.length > 0) {
      found.push(unused(["azure", "client_ids"], "without assignments every lease takes the first of them"));
    }
    return found;
  }
  if (allowUnbounded) {
    found.push({
      path: ["azure", "allow_unbounded"],
      message:
        "where the tenant has no licence for it, nothing but agentctl ends an assignment: one that it cannot take back stays",
      hint: "leave it out where the tenant has Microsoft Entra ID P2 or Governance, or look at agentctl lease list now and then",
    });
  }
  if (ready === undefined) found.push(withoutReady("azure", "assignments", "Azure says up to 10 minutes"));
  if (otherClientIds.length === 0) found.push(...findShortWait(azure));
  return found;
}

/** Who is given something as another lease is has waited for as long as it may when that can be taken back. */
function findShortWait({ ready }: AzureSettings): readonly ProfileFinding[] {
  const waitSeconds = ready?.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  if (waitSeconds > UNREVOCABLE_SECONDS) return [];
  return [
    {
      severity: "info",
      path: ["azure", "assignments"],
      message: `a lease holds its application for 5 minutes at the least, since Azure takes nothing back before; another that begins meanwhile waits for ${formatDuration(waitSeconds)}, and may not get it`,
      hint: "where leases overlap, write a pool of client_ids, or a longer ready.timeout; a role outlives an agentctl that was killed by up to twice that",
    },
  ];
}

function findInGcp(gcp: GcpSettings): readonly ProfileFinding[] {
  const { bindings, entitlement, granter, ready, serviceAccount } = gcp;
  if (bindings.length === 0 && entitlement === undefined) {
    return granter === undefined ? [] : [unusedGranter("gcp", "bindings or an entitlement")];
  }
  const key = bindings.length > 0 ? "bindings" : "entitlement";
  return [
    ...(granter !== undefined && serviceAccount === undefined ? [OPEN_GRANTER] : []),
    ...(canAskAgain(gcp) ? [OPEN_ENTITLEMENT] : []),
    ...(ready === undefined ? [withoutReady("gcp", key, "Google says 2 minutes, and 7 or more at times")] : []),
  ];
}

/** Privileged Access Manager takes tokens for all of Google Cloud alone, and none within an access boundary. */
function canAskAgain({ entitlement, scopes, accessBoundary }: GcpSettings): boolean {
  return entitlement !== undefined && scopes.includes(CLOUD_PLATFORM) && accessBoundary.length === 0;
}

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

const OPEN_ENTITLEMENT: ProfileFinding = {
  path: ["gcp", "entitlement"],
  message: "can be asked for again by the command itself, until its token ends: who gets a grant is who asks for it",
  hint: "give gcp.scopes without cloud-platform, have the grants approved, or use bindings, which a granter gives",
};

const OPEN_GRANTER: ProfileFinding = {
  path: ["gcp", "granter"],
  message: "is in the child's hands: it has the federated token itself, by which the granter is had too",
  hint: "name a service_account for the child, so that what it has cannot give",
};

function withoutReady(cloud: string, key: string, delay: string): ProfileFinding {
  return {
    path: [cloud, key],
    message: `nothing waits for what is given here to work, which takes minutes: ${delay}`,
    hint: "write ready: { permissions: […] } beside it, with what the command needs first",
  };
}

function unusedGranter(cloud: string, without: string): ProfileFinding {
  return unused([cloud, "granter"], `without ${without} there is nothing to give`);
}

function unused(path: ProfileFinding["path"], why: string): ProfileFinding {
  return { path, message: `has no effect: ${why}`, hint: "leave it out" };
}

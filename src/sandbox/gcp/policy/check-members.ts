import type { GcpWorld } from "../world.js";
import type { PolicyHolder } from "./holder.js";

const EVERYBODY = ["allUsers", "allAuthenticatedUsers"];
const MAIL = String.raw`[^\s@:]+@[^\s@:]+\.[^\s@:]+`;
const POOL = String.raw`\/\/iam\.googleapis\.com\/projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+`;
const KNOWN = [
  new RegExp(`^(?:user|group|serviceAccount):${MAIL}$`),
  new RegExp(`^deleted:(?:user|group|serviceAccount):${MAIL}\\?uid=\\d+$`),
  // A Kubernetes service account of the days before principal://.
  /^serviceAccount:[a-z0-9-]+\.svc\.id\.goog\[[^/\]]+\/[^/\]]+\]$/,
  /^domain:[^\s@:/]+\.[^\s@:/]+$/,
  new RegExp(`^principal:${POOL}\\/subject\\/.+$`),
  new RegExp(`^principalSet:${POOL}\\/(?:\\*|group\\/.+|attribute\\.\\w+\\/.+)$`),
];
/** Cloud Storage alone knows whoever has a basic role on the project. */
const BY_BASIC_ROLE = /^project(?:Owner|Editor|Viewer):[\w.:-]+$/;
const PREFIXES = /^(?:deleted:)?(?:user|group|serviceAccount|domain):|^principal(?:Set)?:\/\//;

export function isEverybody(member: string): boolean {
  return EVERYBODY.includes(member);
}

/** What is wrong with a member, in Google's words. */
export function findMemberFault(member: string, holder: PolicyHolder, world: GcpWorld): string | undefined {
  if (isEverybody(member)) {
    if (holder.kind === "bucket") return undefined;
    return "Principals of type allUsers and allAuthenticatedUsers cannot be added to this resource.";
  }
  if (holder.kind === "bucket" && BY_BASIC_ROLE.test(member)) return undefined;
  if (!PREFIXES.test(member)) {
    return `The member ${member} is of an unknown type. Please set a valid type prefix for the member.`;
  }
  if (!KNOWN.some((pattern) => pattern.test(member))) return `Invalid principal: ${member}.`;
  const email = /^serviceAccount:(.+)$/.exec(member)?.[1] ?? "";
  const isOurs = email.endsWith(`@${world.projectId}.iam.gserviceaccount.com`);
  if (isOurs && !Object.hasOwn(world.serviceAccounts, email)) return `Service account ${email} does not exist.`;
  return undefined;
}

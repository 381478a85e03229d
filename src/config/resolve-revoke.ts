import type { AwsSettings, CloudName, Profile, RevokeMode } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import type { ConfigFile } from "./config-file.js";
import type { Configuration } from "./configuration.js";

/** The laxest first. */
const BY_STRICTNESS: readonly RevokeMode[] = ["none", "auto", "required"];
const TOKENS_STAY = {
  azure: { title: "Azure", gifts: "assignments and a granter" },
  gcp: { title: "Google Cloud", gifts: "bindings and a granter, or an entitlement" },
} as const;

/** A project's file can make the user's own setting stricter, and not laxer. */
export function revokeOf(
  written: RevokeMode | undefined,
  { project, user }: Configuration,
  owner: ConfigFile["owner"],
): RevokeMode {
  const own = user?.data.defaults?.revoke;
  if (owner === "user") return written ?? own ?? "auto";
  const asked = written ?? project?.data.defaults?.revoke;
  if (own === undefined || asked === undefined) return asked ?? own ?? "auto";
  return BY_STRICTNESS.indexOf(asked) > BY_STRICTNESS.indexOf(own) ? asked : own;
}

/** Whether it is the user's own setting that a project's profile has to keep to. */
export function isRequiredByUser({ user }: Configuration, owner: ConfigFile["owner"]): boolean {
  return owner === "project" && user?.data.defaults?.revoke === "required";
}

/** Reports what a profile asks of taking grants back and cannot have, and a revoker that cannot be one. */
export function reportRevoke(
  { clouds, revoke }: Pick<Profile, "clouds" | "revoke">,
  byUser: boolean,
  contextOf: (cloud: CloudName) => BlockContext,
): void {
  if (clouds.aws !== undefined) reportRevoker(clouds.aws, contextOf("aws"));
  if (revoke !== "required") return;
  const laxer = byUser ? "your own config.yaml asks for it, with defaults.revoke" : "or write revoke: auto";
  if (clouds.aws !== undefined && clouds.aws.revoker === undefined) {
    contextOf("aws").report(["revoker"], "is missing: with revoke: required a session must have who takes it back", {
      hint: `write revoker: { role_arn: … }, a role that agentctl setup aws then describes; ${laxer}`,
    });
  }
  for (const cloud of ["azure", "gcp"] as const) {
    if (clouds[cloud] === undefined || givesRights(clouds, cloud)) continue;
    const { title, gifts } = TOKENS_STAY[cloud];
    const what = `nothing takes a token of ${title} back, only what was given for the lease, and nothing is`;
    contextOf(cloud).report([], `cannot stand beside revoke: required: ${what}`, {
      hint: `give what the task needs with ${gifts}, or put ${cloud} into a profile that does not require it; ${laxer}`,
    });
  }
}

/** Where that is so, taking it back is what ends the grant. */
function givesRights({ azure, gcp }: Profile["clouds"], cloud: "azure" | "gcp"): boolean {
  if (cloud === "azure") return azure !== undefined && azure.assignments.length > 0;
  return gcp !== undefined && (gcp.bindings.length > 0 || gcp.entitlement !== undefined);
}

function reportRevoker(aws: AwsSettings, context: BlockContext): void {
  const revokerArn = aws.revoker?.roleArn;
  if (revokerArn === undefined) return;
  const roles = [aws.roleArn, ...aws.chain.map(({ roleArn }) => roleArn)];
  const lastArn = roles[roles.length - 1] as string;
  const home = homeOf(lastArn);
  const path = ["revoker", "role_arn"];
  if (homeOf(revokerArn) !== home) {
    context.report(path, `is of ${homeOf(revokerArn)}, and the role that it writes on, ${lastArn}, is of ${home}`, {
      hint: `a role's policies are written from its own account: name a role of ${home}`,
    });
  } else if (roles.some((arn) => isSameRole(arn, revokerArn))) {
    context.report(path, "is a role that the profile's own sessions are of: they could take off the Deny again", {
      hint: "name a role that does nothing else; agentctl setup aws describes one",
    });
  }
  reportDerived(aws.allowDerivedSessions, revokerArn, context);
}

/** The Deny that is on a session binds no other role's session. */
function reportDerived(allowed: AwsSettings["allowDerivedSessions"], revokerArn: string, context: BlockContext): void {
  if (typeof allowed === "boolean") return;
  allowed.forEach((arn, index) => {
    if (!isSameRole(arn, revokerArn)) return;
    const message = "is the revoker: who may be it could take off the Deny again";
    context.report(["allow_derived_sessions", index], message, { hint: "leave it out" });
  });
}

/** Where a role is, in words; two partitions may have the same account number. */
function homeOf(roleArn: string): string {
  const [, partition = "", , , account = ""] = roleArn.split(":");
  return partition === "aws" ? `account ${account}` : `account ${account} in ${partition}`;
}

/** A role's name is unique in its account, whatever its path and capitals. */
function isSameRole(a: string, b: string): boolean {
  return homeOf(a) === homeOf(b) && nameOf(a) === nameOf(b);
}

function nameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1).toLowerCase();
}

import type { Profile } from "../core/profile.js";
import type { ConfigFile } from "./config-file.js";
import type { ProfileFinding } from "./problems.js";

/** What a profile says of taking its grants back that has no effect, or more than it seems. */
export function lintRevoke(profile: Profile, owner: ConfigFile["owner"]): readonly ProfileFinding[] {
  return [...findUnused(profile), ...findEscalation(profile, owner), ...findDerived(profile)];
}

function findUnused({ clouds, revoke }: Profile): readonly ProfileFinding[] {
  const { revoker, acceptEscalation = false } = clouds.aws ?? {};
  const found: ProfileFinding[] = [];
  if (acceptEscalation && revoker === undefined) {
    const message = "has no effect: there is no revoker whose rights it could widen";
    found.push({ path: ["aws", "accept_escalation"], message, hint: "name a revoker beside it, or leave it out" });
  }
  if (revoker !== undefined && revoke === "none") {
    const message = "is never used: with revoke: none no session is taken back";
    found.push({ path: ["aws", "revoker"], message, hint: "write revoke: auto, or leave it out" });
  }
  return found;
}

/** In the user's own file it is the user who accepts it. */
function findEscalation({ clouds }: Profile, owner: ConfigFile["owner"]): readonly ProfileFinding[] {
  if (clouds.aws?.revoker === undefined || !clouds.aws.acceptEscalation || owner === "user") return [];
  return [
    {
      path: ["aws", "accept_escalation"],
      message:
        "a project's file accepts here that whoever may be the revoker can give the role any rights at all, where it has no permissions boundary",
      hint: "give the role a boundary, which agentctl setup aws describes, and leave this out",
    },
  ];
}

function findDerived({ clouds, revoke }: Profile): readonly ProfileFinding[] {
  const { revoker, allowDerivedSessions = false } = clouds.aws ?? {};
  if (revoker === undefined || revoke === "none" || allowDerivedSessions === false) return [];
  return [
    {
      path: ["aws", "allow_derived_sessions"],
      message: "sessions that the child makes further are not taken back with its own",
      hint: "leave it out where all of it has to end",
    },
  ];
}

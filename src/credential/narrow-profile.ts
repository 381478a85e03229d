import { AgentctlError } from "../core/errors.js";
import type { AzureSettings, CloudSettings, Profile } from "../core/profile.js";
import type { CredentialRequest } from "./request.js";

/** What is handed out outlives this process, and nobody renews or ends it: no longer than a token is sure to last. */
const LONGEST_SECONDS = 3_600;

/**
 * The profile with the one cloud that is asked for, and of Azure's scopes the one, for an hour at most.
 * @throws {AgentctlError} CONFIG_INVALID without that cloud, with `revoke: required`, or with rights for the time
 *   of a lease; USAGE for a scope that is not the profile's
 */
export function narrowProfile(profile: Profile, request: Pick<CredentialRequest, "cloud" | "scope">): Profile {
  const clouds = pickCloud(profile, request);
  if (profile.revoke === "required") throw handedOut(profile.name);
  if (givesRights(clouds)) throw givenForLease(profile.name);
  const ttlSeconds = Math.min(profile.ttlSeconds, LONGEST_SECONDS);
  return { ...profile, ttlSeconds, deliver: "env", revoke: "none", clouds };
}

/** What is handed out is to be used when this process is gone: there is no end at which it could be taken back. */
function handedOut(name: string): AgentctlError {
  return new AgentctlError(
    "CONFIG_INVALID",
    `profile ${name} requires that what it gives is taken back (revoke: required), and a credential that is handed out is not`,
    {
      hint: `run the tool in a lease of its own: agentctl run -p ${name} -- COMMAND`,
    },
  );
}

function givesRights({ azure, gcp }: CloudSettings): boolean {
  return (azure?.assignments.length ?? 0) + (gcp?.bindings.length ?? 0) > 0 || gcp?.entitlement !== undefined;
}

/** A credential that is handed out has no end at which they could be taken back. */
function givenForLease(name: string): AgentctlError {
  const message = `profile ${name} gives rights for the time of a lease, and a credential that is handed out has none`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: `run the tool in a lease of its own: agentctl run -p ${name} -- COMMAND`,
  });
}

function pickCloud(
  { name, clouds }: Profile,
  { cloud, scope }: Pick<CredentialRequest, "cloud" | "scope">,
): CloudSettings {
  const { aws, azure, gcp } = clouds;
  if (cloud === "aws" && aws !== undefined) return { aws };
  if (cloud === "gcp" && gcp !== undefined) return { gcp };
  if (cloud === "azure" && azure !== undefined) return { azure: pickScope(name, azure, scope) };
  throw new AgentctlError("CONFIG_INVALID", `profile ${name} has no ${cloud} in it`, {
    hint: `it is for ${Object.keys(clouds).join(", ")}; name another with -p`,
  });
}

function pickScope(profileName: string, azure: AzureSettings, scope: string | undefined): AzureSettings {
  const picked = azure.scopes.find((one) => scope === undefined || one === scope);
  if (picked !== undefined) return { ...azure, scopes: [picked] };
  throw new AgentctlError("USAGE", `the scope is not one of profile ${profileName}`, {
    hint: `its scopes are ${azure.scopes.join(", ")}`,
  });
}

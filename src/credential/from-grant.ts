import { AgentctlError } from "../core/errors.js";
import type { Grant, IssuedSecret } from "../core/lease.js";
import type { Profile } from "../core/profile.js";
import type { Credential } from "./credential.js";

/** The credential that the one grant is, for a profile with that one cloud and, of Azure's, one scope. */
export function readGrant([grant]: readonly Grant[], { clouds: { azure } }: Pick<Profile, "clouds">): Credential {
  if (grant === undefined) throw new AgentctlError("DEFECT", "no grant was issued");
  switch (grant.cloud) {
    case "aws": {
      const [accessKeyId, secretAccessKey, sessionToken] = ["accessKeyId", "secretAccessKey", "sessionToken"].map(
        (name) => partOf(grant, name).value,
      ) as [IssuedSecret["value"], IssuedSecret["value"], IssuedSecret["value"]];
      return { kind: "aws-keys", accessKeyId, secretAccessKey, sessionToken, expiresAt: grant.usableUntil };
    }
    case "gcp": {
      const { value, usableUntil } = partOf(grant, "token");
      return { kind: "google-token", token: value, expiresAt: usableUntil };
    }
    case "azure": {
      const { value, usableUntil } = partOf(grant, azure?.scopes[0] ?? "");
      return {
        kind: "azure-token",
        token: value,
        expiresAt: usableUntil,
        ...(azure !== undefined && { tenantId: azure.tenantId }),
        ...(azure?.subscriptionId !== undefined && { subscriptionId: azure.subscriptionId }),
      };
    }
  }
}

function partOf(grant: Grant, name: string): IssuedSecret {
  const part = grant.secrets[name];
  if (part === undefined) throw new AgentctlError("DEFECT", `the grant of ${grant.cloud} has no ${name}`);
  return part;
}

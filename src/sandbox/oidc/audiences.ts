import type { CloudName } from "../../core/profile.js";
import type { WorldDefinition } from "../world.js";
import type { TrustedIssuer } from "./trusted-issuer.js";
import { isNamed } from "./trusted-issuer.js";

export type CloudAudiences = Readonly<Record<CloudName, string>>;

/** The audience that each cloud takes of this issuer's tokens: for platforms whose tokens are made before they are asked for. */
export function cloudAudiences(world: WorldDefinition, issuer: TrustedIssuer): CloudAudiences {
  const { azure, gcp } = world;
  const credentials = Object.values(azure.apps).flatMap((app) => app.federatedCredentials);
  const [name, provider] = Object.entries(gcp.providers).find(([, one]) => isNamed(one.issuer, issuer)) ?? [];
  return {
    aws: world.audiences[0] ?? "sts.amazonaws.com",
    azure: credentials.find((one) => isNamed(one.issuer, issuer))?.audience ?? "api://AzureADTokenExchange",
    gcp: provider?.allowedAudiences?.[0] ?? `https://iam.googleapis.com/${name ?? ""}`,
  };
}

import type { CloudName } from "../core/profile.js";
import type { Settled } from "./settle.js";

/** The audience that each cloud's token is asked for where a profile names none: what its plan would say. */
export function audiencesFor({
  clouds,
  values,
}: Pick<Settled, "clouds" | "values">): readonly { readonly cloud: CloudName; readonly audience: string }[] {
  const audiences: Readonly<Record<CloudName, string>> = {
    aws: "sts.amazonaws.com",
    azure: "api://AzureADTokenExchange",
    gcp: `https://iam.googleapis.com/${values["workload_identity_provider"] ?? ""}`,
  };
  return clouds.map((cloud) => ({ cloud, audience: audiences[cloud] }));
}

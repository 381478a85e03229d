import type { Channel, GcpSettings } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";

/** gcloud's; and that of Terraform's provider and its gcs backend. */
const TOKEN_VARIABLES = ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"] as const;
/** gcloud's, the client libraries' (new and old), and Terraform's. */
const PROJECT_VARIABLES = [
  "CLOUDSDK_CORE_PROJECT",
  "GOOGLE_CLOUD_PROJECT",
  "GCLOUD_PROJECT",
  "GOOGLE_PROJECT",
] as const;

/** The names of the variables that carry a Google grant to the child; by the endpoint, only where it is for. */
export function variableNames(settings: GcpSettings, channel: Channel): readonly string[] {
  const project = settings.projectId === undefined ? [] : PROJECT_VARIABLES;
  return channel === "env" ? [...TOKEN_VARIABLES, ...project] : project;
}

/** The variables themselves. */
export function grantVariables(
  settings: GcpSettings,
  token: Secret,
  channel: Channel,
): Readonly<Record<string, string | Secret>> {
  const tokens = channel === "env" ? TOKEN_VARIABLES.map((name) => [name, token] as const) : [];
  const projects = PROJECT_VARIABLES.flatMap((name) =>
    settings.projectId === undefined ? [] : [[name, settings.projectId] as const],
  );
  return Object.fromEntries<string | Secret>([...tokens, ...projects]);
}

import { CLOUD_NAMES, type CloudName } from "../core/profile.js";
import type { Settled } from "./settle.js";
import { kindsOf } from "./settle.js";

/** Further keys of each cloud, as comments below those that are set. */
const MORE: Readonly<Record<CloudName, readonly string[]>> = {
  aws: [
    "# What is issued is what the role may do and this allows; without it, all that the role may do:",
    "# session_policy: policies/NAME.json   # or written out here",
    "# chain: [{ role_arn: … }]             # further roles; the narrowing is on the last",
    "# revoker: { role_arn: … }             # takes the session back when the command ends",
  ],
  azure: [
    "# One token a resource; nothing narrows it, so give each profile an application of its own:",
    '# scopes: ["https://management.azure.com/.default"]',
    "# Roles for the time of a task alone, given and taken back by another application:",
    "# granter: { client_id: … }",
    "# assignments: [{ role: Storage Blob Data Reader, scope: /subscriptions/… }]",
  ],
  gcp: [
    "# What Google can narrow per token, Cloud Storage alone:",
    "# access_boundary:",
    "#   - available_resource: //storage.googleapis.com/projects/_/buckets/NAME",
    '#     available_permissions: ["inRole:roles/storage.objectViewer"]',
    "# Roles for the time of a task alone, given and taken back by another service account:",
    "# granter: { service_account: … }",
    "# bindings: [{ role: roles/storage.objectViewer, resource: //storage.googleapis.com/projects/_/buckets/NAME }]",
  ],
};

/** What the comments say of where things are. */
export interface ConfigNotes {
  /** Where an editor finds the schema, if it does. */
  readonly schema: string | undefined;
  /** Empty, or ` --config FILE`. */
  readonly option: string;
}

/** A first agentctl.yaml: what was settled, and what else there is as comments. */
export function renderConfig(settled: Settled, { schema, option }: ConfigNotes): string {
  const name = quoteName(settled.profileName);
  return `${schema === undefined ? "" : `# yaml-language-server: $schema=${schema}\n`}# The task profiles of this repository. After a change: agentctl profile lint${option}
# What a run would be given, with no cloud asked: agentctl run -p ${settled.profileName}${option} --dry-run -- COMMAND
# The clouds' side of the trust: agentctl setup ${settled.clouds[0] ?? "aws"} -p ${settled.profileName}${option}
version: 1

profiles:
  ${name}:
    description: What the task is, in one line
    ttl: 15m                         # the lease's hard deadline: keep it close to what the task takes
    # actors: [human, automation]    # of human, automation, agent; absent: everybody
    # commands: ["aws s3 sync *"]    # absent: any
    # on_expiry: stop                # end the command at the deadline; absent: only say so
${CLOUD_NAMES.filter((cloud) => settled.clouds.includes(cloud))
  .map((cloud) => renderCloud(cloud, settled))
  .join("")}`;
}

function renderCloud(cloud: CloudName, { values }: Settled): string {
  const set = kindsOf([cloud]).flatMap(({ key }) => (values[key] === undefined ? [] : [`${key}: ${values[key]}`]));
  return [`    ${cloud}:`, ...[...set, ...MORE[cloud]].map((line) => `      ${line}`), ""].join("\n");
}

/** A name that YAML would read as a number, a truth or nothing is quoted. */
function quoteName(name: string): string {
  return /^[A-Za-z][\w.-]*$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name) ? name : `"${name}"`;
}

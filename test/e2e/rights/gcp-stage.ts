import fs from "node:fs";
import {
  DEFAULT_PROJECT,
  DEMO_SERVICE_ACCOUNT,
  defaultGcp,
  type GcpWorld,
  GRANTER_SERVICE_ACCOUNT,
  JIT_SERVICE_ACCOUNT,
} from "../../../src/sandbox/gcp/world.js";
import type { LoggedRequest, SandboxOptions } from "../../../src/sandbox/index.js";
import { callGoogle, impersonate } from "../../sandbox/gcp-clients.js";
import { account, type Binding, member, PROJECT } from "../../sandbox/google-clients.js";
import type { Stage } from "../agentctl.js";
import type { HeldRun } from "../endings/held-run.js";
import { type Block, GCP } from "../three-clouds.js";
import { openRightsStage, type RightsStageOptions } from "./stage.js";

export { account, type Binding, member, PROJECT };
/** In which the account of the leases may read nothing by itself. */
export const OTHER_BUCKET = "projects/_/buckets/other";
export const FOLDER = "folders/222222222222";
export const ORGANIZATION = "organizations/333333333333";
export const DEMO_ACCOUNT = `projects/-/serviceAccounts/${DEMO_SERVICE_ACCOUNT}`;
export const VIEWER = "roles/storage.objectViewer";
export const READ = "storage.objects.get";

/** A grant with nothing of its own, of an account that has none either. */
export const JIT: Block = { ...GCP, service_account: JIT_SERVICE_ACCOUNT };
const GRANTER: Block = { granter: { service_account: GRANTER_SERVICE_ACCOUNT } };

/** A grant with `bindings`, which are seen to work by `permission` before the command is started. */
export function givenTo(grant: Block, bindings: readonly Block[], ready: Block | undefined): Block {
  return {
    ...grant,
    ...GRANTER,
    ...(bindings.length > 0 && { bindings }),
    ...(ready && { ready: { timeout: "30s", ...ready } }),
  };
}

/** May read the bucket other, for the time of its lease. */
export const READER: Block = givenTo(JIT, [{ role: VIEWER, resource: "buckets/other" }], { permissions: [READ] });

/** A profile whose credentials are in the command's variables. */
export function profileOf(gcp: Block, keys: Block = {}): Block {
  return { ttl: "15m", deliver: "env", ...keys, gcp };
}

const PROFILES: Readonly<Record<string, Block>> = {
  demo: profileOf(READER),
  required: profileOf(READER, { revoke: "required" }),
};

/** The default world, in which the granter may write every policy; with what is changed of it. */
export function worldOf(changes: Partial<GcpWorld> = {}): SandboxOptions {
  const granter = [`serviceAccount:${GRANTER_SERVICE_ACCOUNT}`];
  const ancestors = {
    [FOLDER]: [{ role: "roles/resourcemanager.folderIamAdmin", members: granter }],
    [ORGANIZATION]: [{ role: "roles/resourcemanager.organizationAdmin", members: granter }],
  };
  return { gcp: { ...defaultGcp(), ancestors, ...changes } };
}

export function openGcpStage(
  profiles: Readonly<Record<string, Block>> = {},
  { world = worldOf(), ...options }: RightsStageOptions = {},
): Promise<Stage> {
  return openRightsStage({ ...PROFILES, ...profiles }, { world, ...options });
}

/** What stands in a policy now. */
export function bindingsOn(stage: Stage, holder: string): readonly Binding[] {
  return stage.sandbox.gcp.policyOf(holder).bindings;
}

/** Of those, agentctl's, of one lease or of all. */
export function oursOn(stage: Stage, holder: string, leaseId = "l-"): readonly Binding[] {
  return bindingsOn(stage, holder).filter(({ condition }) => condition?.title.startsWith(`agentctl-${leaseId}`));
}

/** Every policy of the project, of what is above it and of what is in it. */
export function everyPolicy(stage: Stage): Readonly<Record<string, readonly Binding[]>> {
  const all = Object.entries(stage.sandbox.gcp.policies());
  return Object.fromEntries(all.map(([holder, { bindings }]) => [holder, bindings]));
}

/** The token that a command was given. */
export function tokenOf({ env }: Pick<HeldRun, "env">): string {
  const file = env["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"];
  return env["CLOUDSDK_AUTH_ACCESS_TOKEN"] ?? fs.readFileSync(file ?? "", "utf8").trim();
}

/** The status that reading the object of the bucket other has with the token. */
export async function readOther(stage: Stage, token: string): Promise<number> {
  return (await callGoogle(stage.sandbox, "/storage/v1/b/other/o/private.txt?alt=media", token)).status;
}

/** The status that becoming the demo service account has with the token. */
export async function becomeDemo(stage: Stage, token: string): Promise<number> {
  const scope = ["https://www.googleapis.com/auth/cloud-platform"];
  return (await impersonate(stage.sandbox, token, { scope }, DEMO_SERVICE_ACCOUNT)).status;
}

/** What Google was asked for by one operation, in its order. */
export function askedFor(stage: Stage, operation: string): readonly LoggedRequest[] {
  return stage.sandbox.requests().filter((request) => request.operation === operation);
}

/** The full name of a resource, as agentctl tells it. */
export function fullName(holder: string): string {
  if (holder.startsWith("projects/_/")) return `//storage.googleapis.com/${holder}`;
  if (holder === DEMO_ACCOUNT) return `//iam.googleapis.com/${holder.replace("/-/", `/${DEFAULT_PROJECT}/`)}`;
  return `//cloudresourcemanager.googleapis.com/${holder}`;
}

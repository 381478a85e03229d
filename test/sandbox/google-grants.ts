import { randomUUID } from "node:crypto";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import type { Answer } from "./clients.js";
import { type Caller, get, member, parse, post, tokenFor } from "./google-clients.js";

export const LOCATION = "projects/agentctl-demo/locations/global";
export const DEMO = `${LOCATION}/entitlements/demo-entitlement`;
/** Which somebody has to approve, for a reason that has to be given. */
export const APPROVED = `${LOCATION}/entitlements/approved`;

/** A grant as the API tells it, as far as tests look into it. */
export interface Grant {
  readonly name: string;
  readonly state: string;
  readonly requester: string;
  readonly requestedDuration: string;
  readonly timeline: { readonly events: readonly Record<string, unknown>[] };
  readonly externallyModified?: boolean;
}

export interface PamStage {
  readonly sandbox: Sandbox;
  /** May request grants of both entitlements. */
  readonly jit: Caller;
  /** May look at grants and revoke them, and request those of the demo entitlement. */
  readonly granter: Caller;
  /** May do nothing of it. */
  readonly demo: Caller;
}

/** The default world with a second entitlement. */
export async function openPam(): Promise<PamStage> {
  const { gcp } = defaultWorld();
  const approved = {
    maxRequestSeconds: 3600,
    eligibleUsers: [member("jit")],
    roles: [{ role: "roles/storage.objectUser", condition: 'resource.name.startsWith("projects/_/buckets/other")' }],
    approval: "manual",
    justification: "required",
  } as const;
  const sandbox = await startSandbox({ gcp: { ...gcp, entitlements: { ...gcp.entitlements, [APPROVED]: approved } } });
  const call = async (name: string): Promise<Caller> => ({ sandbox, token: await tokenFor(sandbox, name) });
  const [jit, granter, demo] = await Promise.all([call("jit"), call("agentctl-granter"), call("demo")]);
  return { sandbox, jit, granter, demo };
}

export const justification = { unstructuredJustification: "to test it" };

export function create(
  caller: Caller,
  body: object = {},
  { id = randomUUID() as string, entitlement = DEMO } = {},
): Promise<Answer> {
  const asked = { requestedDuration: "1800s", justification, ...body };
  return post(caller, `/v1/${entitlement}/grants?requestId=${id}`, asked);
}

export async function created(caller: Caller, entitlement = DEMO): Promise<Grant> {
  return parse<Grant>(await create(caller, {}, { entitlement }));
}

export async function look(caller: Caller, { name }: Pick<Grant, "name">): Promise<Grant> {
  return parse<Grant>(await get(caller, `/v1/${name}`));
}

export function revoke(caller: Caller, { name }: Grant): Promise<Answer> {
  return post(caller, `/v1/${name}:revoke`, { reason: "done" });
}

/** The status of reading what only a grant lets the caller read. */
export async function readOther(caller: Caller): Promise<number> {
  return (await get(caller, "/storage/v1/b/other/o/private.txt?alt=media")).status;
}

/** The events of the grant's timeline, by their names. */
export function eventsOf({ timeline }: Grant): readonly (string | undefined)[] {
  return timeline.events.map((event) => Object.keys(event).find((key) => key !== "eventTime"));
}

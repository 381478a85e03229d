import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import { openGcpRights } from "../../../src/clouds/gcp/rights/open-rights.js";
import { takeBack } from "../../../src/clouds/gcp/rights/take-back.js";
import { readUndoing } from "../../../src/clouds/gcp/rights/undo.js";
import type { EndContext, Ending, EndOrder, Grant, GrantTerms } from "../../../src/core/lease.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { Secret } from "../../../src/core/secret.js";
import { endContext } from "../end-order.js";
import { grantTerms, idToken } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings } from "./fake-google.js";
import {
  END_FAST,
  type FakeBinding,
  type FakeRights,
  OPEN_FAST,
  sleepingRuntime,
  startFakeRights,
  tokenOf,
} from "./fake-rights.js";

export const GRANTER = "granter@my-project.iam.gserviceaccount.com";
export const MEMBER = `serviceAccount:${ACCOUNT}`;
export const VIEWER = "roles/storage.objectViewer";
export const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
export const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
export const ENTITLEMENT = "projects/my-project/locations/global/entitlements/deploy";
export const HOLDERS = ["projects/my-project", "b/site"];
export const LEASE = "l-0123456789abcdef";
export const FOREIGN: readonly FakeBinding[] = [
  { role: "roles/owner", members: ["user:boss@example.com"] },
  { role: VIEWER, members: [MEMBER], condition: { title: "office hours", expression: "request.time.getHours() > 8" } },
];
/** Of another lease, which lives */
export const OTHERS: FakeBinding = {
  role: VIEWER,
  members: [MEMBER],
  condition: { title: "agentctl-l-00000000000other-4000000000", expression: expressionOf(4_000_000_000) },
};
export const READY = { permissions: ["storage.objects.get"], at: BUCKET, timeoutSeconds: 60 };

export function bindingSettings(overrides: Partial<GcpSettings> = {}): GcpSettings {
  const bindings = [PROJECT, BUCKET].map((resource) => ({ role: VIEWER, resource }));
  return gcpSettings({ granter: { serviceAccount: GRANTER }, bindings, ready: READY, ...overrides });
}

export interface Scene {
  readonly settings?: GcpSettings;
  readonly terms?: Partial<GrantTerms>;
  readonly order?: Partial<EndOrder>;
  readonly context?: Partial<EndContext>;
  readonly limits?: Partial<typeof END_FAST>;
}

/** One lease over a fake Google: its rights given, and its end, each as often as a test wants. */
export function scene(
  google: FakeRights,
  { settings = bindingSettings(), terms = {}, order, context, limits }: Scene = {},
) {
  const runtime = sleepingRuntime(google.env);
  const granted = { ...grantTerms(900, runtime.now()), ...terms };
  const { undo, principal } = gcpCloud.plan(settings, granted, runtime);
  const mintToken = async ([audience = ""]: readonly string[]) => idToken(audience);
  const told = { onAsking: () => {}, onProgress: () => {}, onNotice: () => {}, onStep: () => {} };
  const signal = new AbortController().signal;
  const expiresAt = granted.endsAt;
  const base = { leaseId: LEASE, cloud: "gcp", channel: "env", principal, undo, usableUntil: expiresAt } as const;
  return {
    runtime,
    undo,
    open: () => openGcpRights(settings, granted, { mintToken, signal, ...told }, runtime, OPEN_FAST),
    end: async (): Promise<Ending> => {
      const complete: EndOrder = { ...base, isIssued: true, expiresAt, ...order };
      const undoing = readUndoing(complete);
      if (undoing.kind !== "take-back") throw new Error(undoing.kind);
      const ending = endContext({ mintToken, ...context });
      return takeBack(complete, undoing.target, ending, runtime, { ...END_FAST, ...limits });
    },
    endByRoom: (overrides: Partial<EndOrder> = {}) =>
      gcpCloud.end({ ...base, isIssued: true, expiresAt, ...order, ...overrides }, endContext({ mintToken }), runtime),
  };
}

/** The lease's grant, by its account's token. */
export function grantOf(expiresAt: number): Grant {
  return {
    cloud: "gcp",
    channel: "env",
    principal: ACCOUNT,
    issuedAt: 0,
    usableUntil: expiresAt,
    expiresAt,
    variables: {},
    secrets: { token: { value: new Secret(tokenOf(ACCOUNT)), usableUntil: expiresAt } },
    facts: {},
  };
}

export async function startWithPolicies(rest: readonly FakeBinding[] = [...FOREIGN, OTHERS]): Promise<FakeRights> {
  return startFakeRights({ "projects/my-project": rest, "b/site": rest });
}

export function texts({ steps = [] }: Ending): string {
  return steps.map(({ text }) => text).join("\n");
}

import { openGcpRights } from "../../../src/clouds/gcp/rights/open-rights.js";
import type { EndStep, GrantTerms, RightsContext } from "../../../src/core/lease.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { withLimit } from "../end-order.js";
import { grantTerms, idToken } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings } from "./fake-google.js";
import { type FakeBinding, type FakeRights, OPEN_FAST, sleepingRuntime } from "./fake-rights.js";

export const GRANTER = "granter@my-project.iam.gserviceaccount.com";
export const MEMBER = `serviceAccount:${ACCOUNT}`;
export const VIEWER = "roles/storage.objectViewer";
export const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
export const FOREIGN: readonly FakeBinding[] = [
  { role: "roles/owner", members: ["user:boss@example.com", "group:ops@example.com"] },
  {
    role: VIEWER,
    members: [MEMBER],
    condition: { title: "office hours", expression: "request.time.getHours('Europe/Berlin') < 18" },
  },
  { role: VIEWER, members: [MEMBER], condition: { title: "agentctl-of-somebody", expression: "true" } },
];
export const LEASE = "l-0123456789abcdef";

export function settingsFor(resource: string, overrides: Partial<GcpSettings> = {}): GcpSettings {
  return gcpSettings({ granter: { serviceAccount: GRANTER }, bindings: [{ role: VIEWER, resource }], ...overrides });
}

export interface Opening {
  readonly settings?: GcpSettings;
  readonly terms?: Partial<GrantTerms>;
  readonly signal?: AbortSignal;
  readonly pace?: number;
  readonly subject?: string;
}

/** Gives a lease what its profile names; what is told meanwhile grows. */
export function open(
  google: FakeRights,
  { settings = settingsFor(PROJECT), terms = {}, signal, pace, subject }: Opening = {},
) {
  const runtime = sleepingRuntime(google.env, pace);
  const [progress, notices]: string[][] = [[], []];
  const steps: EndStep[] = [];
  const asking = { times: 0 };
  const context: RightsContext = {
    mintToken: async ([audience = ""]) => ({ ...idToken(audience), ...(subject !== undefined && { subject }) }),
    signal: signal ?? new AbortController().signal,
    onProgress: (text, wait) => void progress?.push(withLimit(text, wait)),
    onAsking: () => {
      asking.times += 1;
    },
    onNotice: (text) => void notices?.push(text),
    onStep: (step) => void steps.push(step),
  };
  const granted = { ...grantTerms(900, runtime.now()), ...terms };
  const opened = openGcpRights(settings, granted, context, runtime, OPEN_FAST).then((chosen) => ({
    settings: chosen,
    steps,
  }));
  return { opened, progress: progress ?? [], notices: notices ?? [], asking, runtime };
}

/** Those of a lease. */
export function oursOf(bindings: readonly FakeBinding[], leaseId = LEASE): readonly FakeBinding[] {
  return bindings.filter(({ condition }) => condition?.title.startsWith(`agentctl-${leaseId}-`));
}

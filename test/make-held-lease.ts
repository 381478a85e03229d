import { type Account, recordHappenings } from "../src/audit/index.js";
import type { Identity } from "../src/core/identity.js";
import type { GrantPlan, LeaseTerms } from "../src/core/lease.js";
import type { CloudName, Profile } from "../src/core/profile.js";
import type { Happening } from "../src/core/run-request.js";
import type { Runtime } from "../src/core/runtime.js";
import { type HeldLease, hold } from "../src/held-session.js";
import { openLease } from "../src/lease/index.js";
import type { FakeRuntime } from "./fake-runtime.js";
import { DEADLINE, ID, makeLease, OPENED, type ScratchLedger } from "./lease/scratch-ledger.js";

export const LATEST_DEADLINE = DEADLINE + 300_000;

export const TERMS: LeaseTerms = {
  leaseId: ID,
  profileName: "deploy",
  openedAt: OPENED,
  deadlineAt: DEADLINE,
  latestDeadlineAt: LATEST_DEADLINE,
  ttlSeconds: 1_800,
  deliver: "auto",
};

export function makePlan(cloud: CloudName): GrantPlan {
  return {
    cloud,
    channel: "env",
    principal: `planned in ${cloud}`,
    audiences: [`for ${cloud}`],
    steps: [],
    narrowing: [],
    variables: [],
    ending: { word: "expires", detail: "d" },
    undo: { of: cloud },
    facts: {},
    endpoints: [],
  };
}

export interface HeldScene {
  readonly held: HeldLease;
  readonly runtime: FakeRuntime;
  /** What was told, oldest first. */
  readonly told: Happening[];
  /** How often the watchdog was let go. */
  readonly released: () => number;
  /** The lengths of the pauses, in milliseconds: the clock moves by nothing else. */
  readonly pauses: number[];
  readonly setClock: (ms: number) => void;
}

/** A lease that is open in the ledger, of clouds that were asked for nothing yet; its clock stands at OPENED. */
export function makeHeldLease(
  ledger: ScratchLedger,
  clouds: readonly CloudName[],
  profile: Partial<Profile> = {},
  overrides: Partial<Runtime> = {},
): HeldScene {
  let clock = OPENED;
  let releases = 0;
  const told: Happening[] = [];
  const pauses: number[] = [];
  const runtime = ledger.runtime({
    now: () => clock,
    sleep: async (ms) => {
      pauses.push(ms);
      clock += ms;
      if (pauses.length > 1_000) throw new Error("it waits for ever");
    },
    ...overrides,
  });
  const release = (): void => {
    releases += 1;
  };
  const observe = (happening: Happening): void => void told.push(happening);
  const plans = clouds.map(makePlan);
  const whole = { name: "deploy", revoke: "auto", auditArgv: "first", auditSinks: [], clouds: {}, ...profile };
  const account: Account = { request: { argv: ["true"], profileName: "deploy", passEnv: [] }, terms: TERMS };
  account.profile = whole as unknown as Profile;
  const held = hold({
    prepared: {
      profile: account.profile,
      terms: TERMS,
      plans,
      command: { path: "/bin/true", argv: ["true"] },
      identity: makeIdentity(),
      decision: { actor: { kind: "automation", reason: "" }, reasons: [] } as never,
    },
    account,
    receipt: { hold: () => {}, write: () => {}, release: () => {} },
    observe,
    runtime,
    entry: openLease(makeLease(ID, { plans, terms: TERMS }), runtime),
    watchdog: { ready: Promise.resolve(), release },
    recorder: recordHappenings(account, observe, runtime),
  });
  const setClock = (ms: number): void => {
    clock = ms;
  };
  return { held, runtime, told, released: () => releases, pauses, setClock };
}

function makeIdentity(): Identity {
  return {
    source: "github-actions",
    reason: "",
    issuer: "https://issuer.example",
    subject: "repo:acme/site",
    claims: {},
    tokenSha256: "0",
    mintableUntil: DEADLINE,
    mintToken: async () => {
      throw new Error("nothing here is asked for with a token");
    },
  };
}

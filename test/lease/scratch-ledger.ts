import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Grant, LeaseTerms } from "../../src/core/lease.js";
import type { Runtime } from "../../src/core/runtime.js";
import { Secret } from "../../src/core/secret.js";
import type { NewLease } from "../../src/lease/index.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

export const OPENED = Date.UTC(2026, 0, 31, 9);
export const DEADLINE = OPENED + 1_800_000;
export const ID = "l-0000000000000001";
/** The highest pid that Linux gives is 2^22. */
export const NOBODY = 2 ** 22 + 1;

/** A state directory of a test's own, and the ledger in it. */
export interface ScratchLedger {
  readonly root: string;
  readonly stateDir: string;
  readonly leasesDir: string;
  runtime(overrides?: Partial<Runtime>): FakeRuntime;
  /** Whatever it writes is a dead process's. */
  deadRuntime(overrides?: Partial<Runtime>): FakeRuntime;
  /** The path of what stands beside an entry, or of the entry itself. */
  file(id?: string, suffix?: string): string;
  /** Names in the ledger's directory. */
  names(): readonly string[];
  edit(id: string, change: (entry: Record<string, unknown>) => void): void;
  remove(): void;
}

export function makeScratchLedger(): ScratchLedger {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-lease-")));
  const stateDir = path.join(root, "state");
  const leasesDir = path.join(stateDir, "leases");
  const file = (id = ID, suffix = "json"): string => path.join(leasesDir, `${id}.${suffix}`);
  const runtime = (overrides: Partial<Runtime> = {}): FakeRuntime =>
    fakeRuntime({ env: { AGENTCTL_STATE_DIR: stateDir }, now: () => OPENED + 60_000, ...overrides });
  return {
    root,
    stateDir,
    leasesDir,
    runtime,
    deadRuntime: (overrides = {}) => runtime({ pid: NOBODY, ...overrides }),
    file,
    names: () => fs.readdirSync(leasesDir).sort(),
    edit: (id, change) => {
      const entry = JSON.parse(fs.readFileSync(file(id), "utf8"));
      change(entry);
      fs.writeFileSync(file(id), JSON.stringify(entry));
    },
    remove: () => fs.rmSync(root, { recursive: true }),
  };
}

export function makeLease(leaseId = ID, overrides: Partial<NewLease> = {}, openedAt = OPENED): NewLease {
  const terms: LeaseTerms = {
    leaseId,
    profileName: "deploy",
    openedAt,
    deadlineAt: DEADLINE,
    latestDeadlineAt: DEADLINE,
    ttlSeconds: 1800,
    deliver: "auto",
  };
  return {
    terms,
    plans: [
      {
        cloud: "aws",
        channel: "env",
        principal: "arn:aws:iam::1:role/r",
        undo: { role: "arn:aws:iam::1:role/r" },
        facts: {},
      },
    ],
    actor: { kind: "automation" },
    command: { argv: ["terraform", "apply", "-var=pw=hunter2"] },
    identity: { source: "github-actions", issuer: "https://issuer.example", subject: "repo:acme/site" },
    graceSeconds: 30,
    ...overrides,
  };
}

export function makeGrant(overrides: Partial<Grant> = {}): Grant {
  return {
    cloud: "aws",
    channel: "env",
    principal: "arn:aws:sts::1:assumed-role/r/s",
    issuedAt: OPENED + 1000,
    usableUntil: DEADLINE - 1000,
    expiresAt: DEADLINE + 1000,
    variables: { AWS_SECRET_ACCESS_KEY: new Secret("canary"), AWS_ACCESS_KEY_ID: "canary-id" },
    secrets: { secretAccessKey: { value: new Secret("canary"), usableUntil: DEADLINE } },
    facts: { canary: "canary-fact" },
    ...overrides,
  };
}

import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { appendEvent } from "../../src/audit/log.js";
import type { AuditEvent } from "../../src/core/event.js";
import type { Runtime } from "../../src/core/runtime.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

/** A state directory of a test's own, and the audit log in it. */
export interface ScratchLog {
  readonly stateDir: string;
  readonly auditDir: string;
  readonly file: string;
  runtime(overrides?: Partial<Runtime>): FakeRuntime;
  read(): Buffer;
  remove(): void;
}

export function makeScratchLog(): ScratchLog {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-audit-"));
  const stateDir = path.join(root, "state");
  const auditDir = path.join(stateDir, "audit");
  const file = path.join(auditDir, "audit.jsonl");
  return {
    stateDir,
    auditDir,
    file,
    runtime: (overrides = {}) => fakeRuntime({ env: { AGENTCTL_STATE_DIR: stateDir }, ...overrides }),
    read: () => fs.readFileSync(file),
    remove: () => fs.rmSync(root, { recursive: true }),
  };
}

export function makeEvent(overrides: Partial<AuditEvent> = {}): AuditEvent {
  return { kind: "lease.start", time: "2026-01-31T09:00:00.000Z", lease: "l-1", profile: "deploy", ...overrides };
}

/** Appends records whose `intent` counts from 1. */
export async function appendCounted(count: number, runtime: Runtime): Promise<void> {
  for (let number = 1; number <= count; number += 1)
    await appendEvent(makeEvent({ intent: `number ${number}` }), runtime);
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

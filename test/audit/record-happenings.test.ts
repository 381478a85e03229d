import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/audit/account.js";
import { type HappeningRecorder, recordHappenings } from "../../src/audit/record-happenings.js";
import { AgentctlError } from "../../src/core/errors.js";
import type { Grant } from "../../src/core/lease.js";
import type { Happening } from "../../src/core/run-request.js";
import { Secret } from "../../src/core/secret.js";
import { makeScratchLog, type ScratchLog } from "./scratch-log.js";

const NOW = Date.parse("2026-01-31T09:00:00Z");
const CANARY = "canary-of-the-credential";
const ACCOUNT: Account = { request: { argv: ["make"], profileName: "deploy", passEnv: [] } };
const GRANT: Grant = {
  cloud: "gcp",
  channel: "endpoint",
  principal: "deploy@project",
  issuedAt: NOW,
  usableUntil: NOW + 900_000,
  expiresAt: NOW + 900_000,
  variables: {},
  secrets: { token: { value: new Secret(CANARY), usableUntil: NOW + 900_000 } },
  facts: {},
};
const AWAY = new AgentctlError("UNREACHABLE", "nobody answers");

let log: ScratchLog;
let told: Happening[];
let recorder: HappeningRecorder;
beforeEach(() => {
  log = makeScratchLog();
  told = [];
  const runtime = log.runtime({ now: () => NOW, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
  recorder = recordHappenings(ACCOUNT, (happening) => told.push(happening), runtime);
});
afterEach(() => log.remove());

const kindsOf = (): unknown[] =>
  log
    .read()
    .toString("utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { kind: unknown }).kind);

const refused = (reason: string, more: object = {}) => ({ reason, message: "not of the command", at: NOW, ...more });

describe("what is put on record, and what is told besides", () => {
  const rows: readonly { name: string; happen: () => void; kinds: string[]; want: readonly Happening[] }[] = [
    { name: "a renewal", happen: () => recorder.renewed(GRANT, undefined), kinds: ["grant.renewed"], want: [] },
    {
      name: "a renewal that failed",
      happen: () => recorder.renewalFailed(GRANT, AWAY),
      kinds: ["grant.renewal_failed"],
      want: [
        {
          kind: "warning",
          text: "gcp: cannot be renewed (UNREACHABLE: nobody answers); usable until 2026-01-31T09:15:00Z, trying again",
        },
      ],
    },
    {
      name: "a stranger's request, with whose it was",
      happen: () => recorder.requestRefused(refused("stranger", { cloud: "gcp", peer: { pid: 7, program: "curl" } })),
      kinds: ["endpoint.refused"],
      want: [
        {
          kind: "warning",
          text: "the endpoint refused a request for gcp by process 7 (curl): not of the command",
        },
      ],
    },
    {
      name: "a request of a browser's, of which no more is known",
      happen: () => recorder.requestRefused(refused("browser")),
      kinds: ["endpoint.refused"],
      want: [{ kind: "warning", text: "the endpoint refused a request: not of the command" }],
    },
    {
      name: "a request that came by another name",
      happen: () => recorder.requestRefused(refused("foreign-host", { peer: { pid: 7 } })),
      kinds: ["endpoint.refused"],
      want: [{ kind: "warning", text: "the endpoint refused a request by process 7: not of the command" }],
    },
    ...["scope", "unauthorized", "bad-request", "unknown-path", "lease-ended", "unavailable"].map((reason) => ({
      name: `a request that was refused for ${reason}, which its own tool tells`,
      happen: () => recorder.requestRefused(refused(reason)),
      kinds: ["endpoint.refused"],
      want: [],
    })),
    {
      name: "a request that was answered, and nobody could tell whose it was",
      happen: () => recorder.requestRefused(refused("undetermined")),
      kinds: ["endpoint.unverified"],
      want: [],
    },
  ];
  it.each(rows)("$name", async ({ happen, kinds, want }) => {
    happen();
    await recorder.settle();
    expect(kindsOf()).toEqual(kinds);
    expect(told).toEqual(want);
    expect(log.read().toString("utf8")).not.toContain(CANARY);
  });

  it("the end of an outage is told, and the renewal is the record of it", async () => {
    recorder.recovered(GRANT);
    await recorder.settle();
    expect(told).toEqual([{ kind: "notice", text: "gcp: renewed after all, usable until 2026-01-31T09:15:00Z" }]);
    expect(fs.existsSync(log.file)).toBe(false);
  });
});

describe("what could not be written", () => {
  it("of the record is told once, and settles all the same", async () => {
    fs.mkdirSync(log.stateDir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(log.auditDir, "not a directory");
    recorder.renewed(GRANT, undefined);
    recorder.renewed(GRANT, undefined);
    await recorder.settle();
    recorder.renewed(GRANT, undefined);
    await recorder.settle();
    expect(told).toEqual([{ kind: "warning", text: expect.stringMatching(/^not on record: /) }]);
  });

  it("of a renewed grant is told once for each way in which it fails, and ends nothing", () => {
    const fail = (message: string) => () => {
      throw new AgentctlError("STATE_UNWRITABLE", message);
    };
    for (const message of ["the disk is full", "the disk is full", "it is a directory"])
      recorder.attempt(fail(message));
    expect(told.map((happening) => (happening.kind === "warning" ? happening.text : happening.kind))).toEqual([
      "a change of the lease could not be written down (STATE_UNWRITABLE: the disk is full)",
      "a change of the lease could not be written down (STATE_UNWRITABLE: it is a directory)",
    ]);
  });

  it("is not waited for", async () => {
    recorder.renewed(GRANT, undefined);
    expect(fs.existsSync(log.file)).toBe(false);
    await recorder.settle();
    expect(kindsOf()).toEqual(["grant.renewed"]);
  });
});

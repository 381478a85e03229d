import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/audit/account.js";
import { appendAccount } from "../../src/audit/account.js";
import { exportEvents } from "../../src/audit/export.js";
import { appendRenewal, appendRenewalFailure, appendRequest } from "../../src/audit/lease-events.js";
import { reserveReceipt } from "../../src/audit/receipt.js";
import { verifyLog } from "../../src/audit/verify.js";
import { AgentctlError } from "../../src/core/errors.js";
import type { Identity } from "../../src/core/identity.js";
import type { Grant } from "../../src/core/lease.js";
import { Secret } from "../../src/core/secret.js";
import { thrownBy } from "../thrown.js";
import { collect, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const NOW = Date.parse("2026-01-31T09:00:00Z");
const runtime = () => log.runtime({ now: () => NOW, cwd: path.dirname(log.stateDir), sleep: realSleep });
const CANARY = "canary-of-the-credential";

function makeIdentity(tokenSha256: string): Identity {
  return {
    source: "github-actions",
    reason: "",
    issuer: "https://issuer.example",
    subject: "repo:acme/site",
    claims: { ref: "main" },
    tokenSha256,
    mintToken: async () => {
      throw new Error("not for the record");
    },
  };
}

const GRANT: Grant = {
  cloud: "gcp",
  channel: "endpoint",
  principal: "deploy@project",
  issuedAt: NOW,
  usableUntil: NOW + 900_000,
  expiresAt: NOW + 3_600_000,
  variables: { TOKEN: new Secret(CANARY) },
  secrets: { token: { value: new Secret(CANARY), usableUntil: NOW + 900_000 } },
  facts: { token: "impersonated" },
};

const RECORDED_GRANT = {
  cloud: "gcp",
  channel: "endpoint",
  principal: "deploy@project",
  usableUntil: "2026-01-31T09:15:00Z",
  expiresAt: "2026-01-31T10:00:00Z",
  facts: { token: "impersonated" },
};

const ACCOUNT: Account = {
  request: { argv: ["terraform", "apply"], profileName: "deploy", passEnv: [] },
  actor: { kind: "automation", reason: "CI is set" },
  terms: {
    leaseId: "l-0123456789ABCDEF",
    profileName: "deploy",
    openedAt: NOW,
    deadlineAt: NOW + 3_600_000,
    latestDeadlineAt: NOW + 3_600_000,
    ttlSeconds: 3_600,
    deliver: "auto",
  },
  identity: makeIdentity("first"),
};

const CALLER = {
  lease: "l-0123456789ABCDEF",
  profile: "deploy",
  actor: { kind: "automation", reason: "CI is set" },
  identity: {
    source: "github-actions",
    issuer: "https://issuer.example",
    subject: "repo:acme/site",
    claims: { ref: "main" },
    tokenSha256: "first",
  },
};

const REQUEST = { cloud: "gcp", reason: "stranger", message: "not of the command" } as const;

function readRecords(): Record<string, unknown>[] {
  const lines = log.read().toString("utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("while a lease lives", () => {
  const error = new AgentctlError("UNREACHABLE", "nobody answers", { facts: { tries: 4 } });
  const rows: readonly { name: string; append: () => Promise<unknown>; want: object }[] = [
    {
      name: "a renewal, with the identity that it was for",
      append: () => appendRenewal(ACCOUNT, { grant: GRANT, identity: makeIdentity("again") }, runtime()),
      want: {
        ...CALLER,
        kind: "grant.renewed",
        identity: { ...CALLER.identity, tokenSha256: "again" },
        grants: [RECORDED_GRANT],
      },
    },
    {
      name: "a renewal by the lease's own identity",
      append: () => appendRenewal(ACCOUNT, { grant: GRANT }, runtime()),
      want: { ...CALLER, kind: "grant.renewed", grants: [RECORDED_GRANT] },
    },
    {
      name: "a renewal that failed, with what is held meanwhile",
      append: () => appendRenewalFailure(ACCOUNT, { held: GRANT, error }, runtime()),
      want: {
        ...CALLER,
        kind: "grant.renewal_failed",
        error: { code: "UNREACHABLE", message: "nobody answers", facts: { tries: 4 } },
        grants: [RECORDED_GRANT],
      },
    },
    {
      name: "a refused request, with whose it was",
      append: () => appendRequest(ACCOUNT, { ...REQUEST, peer: { pid: 7, program: "curl" }, at: NOW }, runtime()),
      want: { ...CALLER, kind: "endpoint.refused", request: { ...REQUEST, peer: { pid: 7, program: "curl" } } },
    },
    {
      name: "a request of which no more is known",
      append: () => appendRequest(ACCOUNT, { reason: "browser", message: "it has an Origin", at: NOW }, runtime()),
      want: { ...CALLER, kind: "endpoint.refused", request: { reason: "browser", message: "it has an Origin" } },
    },
    {
      name: "a request that was answered, whose sender nobody could tell",
      append: () => appendRequest(ACCOUNT, { reason: "undetermined", message: "not seen", at: NOW }, runtime()),
      want: { ...CALLER, kind: "endpoint.unverified", request: { reason: "undetermined", message: "not seen" } },
    },
  ];
  it.each(rows)("records $name", async ({ append, want }) => {
    await append();
    const [{ seq, prev, time, ...record } = {}] = readRecords();
    expect(record).toEqual(want);
    expect(time).toBe("2026-01-31T09:00:00.000Z");
    expect(log.read().toString("utf8")).not.toContain(CANARY);
  });

  it("chains records that were appended at once, and exports them", async () => {
    await Promise.all(rows.map(({ append }) => append()));
    expect(await verifyLog({}, runtime())).toMatchObject({ ok: true, records: rows.length });
    const csv = (await collect(exportEvents("csv", {}, runtime()))).join("");
    expect(csv).toContain('"{""cloud"":""gcp"",""reason"":""stranger""');
  });

  it("tells whoever appends that the log can't be written", async () => {
    blockLog();
    for (const { append } of rows) expect((await thrownBy(append)).code).toBe("AUDIT_UNWRITABLE");
  });

  function blockLog(): void {
    fs.mkdirSync(log.stateDir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(log.auditDir, "not a directory");
  }

  it("passes its records on to the sinks", async () => {
    const noisy = { ...ACCOUNT, profile: { auditSinks: ["stderr"] } } as unknown as Account;
    const sunk = runtime();
    await appendRenewal(noisy, { grant: GRANT }, sunk);
    expect(JSON.parse(sunk.stderr.text())).toMatchObject({ kind: "grant.renewed" });
  });
});

describe("at a lease's end", () => {
  const account: Account = {
    ...ACCOUNT,
    grants: [GRANT],
    renewals: [
      { cloud: "azure", renewed: 0, failed: 0 },
      { cloud: "gcp", renewed: 2, failed: 1, firstAt: NOW + 600_000, lastAt: NOW + 1_200_000 },
    ],
    refusals: 3,
  };
  const WANT = {
    renewals: [
      { cloud: "azure", renewed: 0, failed: 0 },
      { cloud: "gcp", renewed: 2, failed: 1, firstAt: "2026-01-31T09:10:00Z", lastAt: "2026-01-31T09:20:00Z" },
    ],
    refusals: 3,
  };

  it("the record and the receipt have how each grant went, how often it was renewed, and the refusals", async () => {
    const receipt = reserveReceipt("receipt.json", runtime());
    receipt.write(account, await appendAccount("lease.end", account, runtime()));
    receipt.release();
    const written = JSON.parse(fs.readFileSync(path.join(path.dirname(log.stateDir), "receipt.json"), "utf8"));
    expect(readRecords()[0]).toMatchObject({ ...WANT, grants: [RECORDED_GRANT] });
    expect(written).toMatchObject({ ...WANT, grants: [{ ...RECORDED_GRANT, issuedAt: "2026-01-31T09:00:00Z" }] });
    expect(JSON.stringify(written)).not.toContain(CANARY);
  });

  it("both have each step by which rights were given for it", async () => {
    const steps = [{ at: "2026-01-31T09:00:01.000Z", text: "gave deploy@project Viewer" }];
    const given: Account = { ...account, rights: [{ cloud: "gcp", steps }] };
    const receipt = reserveReceipt("receipt.json", runtime());
    await appendAccount("lease.start", given, runtime());
    receipt.write(given, await appendAccount("lease.end", given, runtime()));
    receipt.release();
    const written = JSON.parse(fs.readFileSync(path.join(path.dirname(log.stateDir), "receipt.json"), "utf8"));
    for (const record of [written, ...readRecords()])
      expect(record).toMatchObject({ rights: [{ cloud: "gcp", steps }] });
  });

  it("neither speaks of renewals where there was no endpoint, nor of rights that were not given", async () => {
    const receipt = reserveReceipt("receipt.json", runtime());
    const plain = { ...ACCOUNT, renewals: [] };
    receipt.write(plain, await appendAccount("lease.end", plain, runtime()));
    receipt.release();
    const written = JSON.parse(fs.readFileSync(path.join(path.dirname(log.stateDir), "receipt.json"), "utf8"));
    for (const record of [written, readRecords()[0]]) {
      expect(record).not.toHaveProperty("renewals");
      expect(record).not.toHaveProperty("refusals");
      expect(record).not.toHaveProperty("rights");
    }
  });
});

function realSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

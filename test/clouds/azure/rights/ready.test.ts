import { describe, expect, it } from "vitest";
import { failureOf } from "../../exchange/identity.js";
import { fails, GROUP, isUnwell, ONE, startFakeAzure, TWO } from "./fake-azure.js";
import { BLOB_READ, interruptAt, isLook, letRead, openLease } from "./opening.js";

const BLOBS = { role: "Storage Blob Data Reader", scope: GROUP };

describe("ready", () => {
  const ready = { permissions: [BLOB_READ, "Microsoft.Web/sites/read"], timeoutSeconds: 120 };
  const assignments = [BLOBS, { role: "Reader", scope: GROUP }];

  it("waits, by the lease's own token, until all works three times in a row", async () => {
    const azure = await startFakeAzure();
    azure.delayMs = 45_000;
    const lease = openLease(azure, { assignments, ready });
    const { steps } = await lease.open();
    expect(azure.now - Date.parse("2026-11-22T12:00:00Z")).toBeGreaterThanOrEqual(45_000);
    expect(azure.armAsked.slice(-3)).toEqual(
      Array(3).fill(`GET ${GROUP}/providers/Microsoft.Authorization/permissions`),
    );
    expect(lease.said.progress).toContainEqual(expect.stringMatching(/^waiting for Microsoft.* at .* \(of \d+s\)$/));
    expect(steps.at(-1)?.text).toMatch(
      /^application .* had .*blobs\/read, Microsoft\.Web\/sites\/read at .* after \d+s$/,
    );
  });

  it("counts anew when it comes and goes", async () => {
    const azure = await startFakeAzure();
    const seen: string[] = [];
    azure.intercept = (question) => {
      if (!isLook(question)) return undefined;
      seen.push("asked");
      // The first is before anything is given.
      return seen.length === 4 ? fails(403, "AuthorizationFailed", "No.") : undefined;
    };
    await openLease(azure, { assignments, ready }).open();
    expect(seen).toHaveLength(7);
  });

  it("says at its end what is missing, and where", async () => {
    const azure = await startFakeAzure();
    azure.delayMs = 10 * 60_000;
    const error = await failureOf(openLease(azure, { assignments, ready }).open());
    expect(error).toMatchObject({ code: "NOT_READY", facts: { missing: ready.permissions, at: GROUP } });
    expect(error.message).toContain("after 2m");
    expect(error.hint).toMatch(/misspelt.*azure\.ready\.timeout.*outlives an agentctl that was killed/);
  });

  it("does not take the reading of everything for a right on data, which comes later", async () => {
    const azure = await startFakeAzure();
    azure.delayMs = 30_000;
    letRead(azure, ONE);
    await openLease(azure, { assignments: [BLOBS], ready }).open();
    expect(azure.now - Date.parse("2026-11-22T12:00:00Z")).toBeGreaterThanOrEqual(30_000);
  });

  it("is not held up by what may pass, and stopped by an interruption", async () => {
    const azure = await startFakeAzure();
    let count = 0;
    azure.intercept = (question) => {
      if (!isLook(question)) return undefined;
      count += 1;
      return count <= 4 ? isUnwell : undefined;
    };
    const lease = openLease(azure, { assignments, ready });
    await lease.open();
    const other = openLease(azure, { clientId: TWO, ready });
    interruptAt(azure, other.stop, (question) => isLook(question) && azure.assignments.length === 3);
    expect(await failureOf(other.open())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});

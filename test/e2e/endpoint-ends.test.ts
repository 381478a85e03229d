import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { defaultAzure } from "../../src/sandbox/azure/world.js";
import { openStage, type Stage } from "./agentctl.js";
import { type Answer, askUntil, endLeases, openLease } from "./endpoint/open-lease.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

// Most of it is waiting for grants to come to their ends, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ azure: { ...defaultAzure(), tokenLifeSeconds: 5 } });
  const served = { ttl: "2h", deliver: "endpoint" };
  const short = { ...served, credential_ttl: "5s" };
  stage.writeConfig(
    configOf({
      all: { ...short, aws: AWS, azure: AZURE, gcp: GCP },
      two: { ...short, aws: AWS, azure: AZURE },
      lasting: { ...served, aws: AWS, gcp: GCP },
    }),
  );
});
afterAll(async () => {
  await endLeases();
  await stage.close();
});

const seconds = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

/** The caller's token, of which there is no other: what a job is given once and cannot mint. */
async function fixedTokens(expiresInSeconds: number): Promise<Readonly<Record<string, string | undefined>>> {
  const audience = `https://iam.googleapis.com/${GCP["workload_identity_provider"]}`;
  return {
    AGENTCTL_ID_TOKEN_AWS: await stage.sandbox.mintToken({ expiresInSeconds }),
    AGENTCTL_ID_TOKEN_AZURE: await stage.sandbox.mintToken({
      audience: "api://AzureADTokenExchange",
      expiresInSeconds,
    }),
    AGENTCTL_ID_TOKEN_GCP: await stage.sandbox.mintToken({ audience, expiresInSeconds }),
    ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
  };
}

describe.concurrent("the end of a lease", () => {
  test("is never passed by a renewal, and after it the endpoint says that it is over", async () => {
    const lease = await openLease(stage, "all", ["--ttl", "8s"]);
    const { deadlineAt } = await lease.ask<{ deadlineAt: number }>("deadline");
    const [aws, gcp] = [
      await askUntil(lease, "aws", ({ endsAt, status }) => status !== 200 || endsAt === deadlineAt),
      await lease.ask("gcp"),
    ];
    expect(aws).toMatchObject({ status: 200, endsAt: deadlineAt });
    // Google counts in whole seconds as well, from when it answered.
    expect(gcp.endsAt ?? 0).toBeLessThanOrEqual(deadlineAt + 1000);
    await lease.said(/^agentctl: the lease ended at .*: the command goes on, and is given no credentials any more$/m);
    const over = `the lease ended at ${seconds(deadlineAt)}`;
    const refusals = [
      { verb: "aws", status: 403, says: `"code":"LeaseEnded","message":"agentctl: ${over}"` },
      { verb: "azure", status: 403, says: over },
      { verb: "azd", status: 200, says: `"code":"GetTokenError","message":"${over}"` },
      { verb: "gcp", status: 400, says: `agentctl: ${over}` },
    ];
    for (const { verb, status, says } of refusals) {
      expect(await lease.ask(verb)).toEqual({ status, body: expect.stringContaining(says) });
    }
    const { receipt, code } = await lease.end();
    expect(code).toBe(0);
    expect(receipt.renewals).toMatchObject([
      { cloud: "aws", failed: 0 },
      { cloud: "azure" },
      { cloud: "gcp", failed: 0 },
    ]);
    expect(receipt.refusals).toBe(refusals.length);
    for (const { grants } of lease.records("grant.renewed")) {
      const [{ cloud, usableUntil }] = grants as [{ cloud: string; usableUntil: string }];
      // Of Entra's tokens the length is Entra's own, and the endpoint alone is what ends them.
      if (cloud !== "azure") expect(Date.parse(usableUntil), cloud).toBeLessThanOrEqual(deadlineAt + 1000);
    }
    const reasons = lease.records("endpoint.refused").map(({ request }) => request);
    expect(reasons).toEqual(["aws", "azure", "gcp"].map((cloud) => ({ cloud, reason: "lease-ended", message: over })));
  });
});

describe.concurrent("a token of which there is no other", () => {
  test("gets the longest grants, and the line at the start says until when", async () => {
    const lease = await openLease(stage, "lasting", [], { env: await fixedTokens(300) });
    const [aws, gcp] = [await lease.ask("aws"), await lease.ask("gcp")];
    const hour = Date.now() + 3_600_000;
    for (const { endsAt = 0 } of [aws, gcp]) expect(Math.abs(endsAt - hour)).toBeLessThan(60_000);
    const { stderr } = await lease.end();
    const [said = ""] = /^agentctl: aws is usable until .*$/m.exec(stderr) ?? [];
    expect(said).toMatch(
      /^agentctl: aws is usable until \S+Z, gcp is usable until \S+Z and can be renewed only until the identity token ends at \S+Z: the source env gives no other$/,
    );
    expect(said).toContain(`aws is usable until ${seconds(aws.endsAt ?? 0)}`);
    expect(stderr).not.toContain("and renewed");
  });

  test("renews for as long as it lasts, at last for as long as it can, and then the endpoint says that it is over", async () => {
    const lease = await openLease(stage, "two", [], { env: await fixedTokens(14) });
    await lease.said(/^agentctl: aws is .*, azure is .* can be renewed only until the identity token ends at /m);
    const lasting = await askUntil(lease, "aws", ({ endsAt = 0 }) => endsAt > Date.now() + 3_000_000);
    expect(lasting).toMatchObject({ status: 200 });
    // Of Entra's tokens, that last as long as Entra likes.
    const over = await askUntil(lease, "azure", ({ status }) => status !== 200);
    const says =
      /^the azure grant ended at \S+Z and is not renewed: the identity's token ended at \S+Z and there is no other$/;
    expect(over.status).toBe(403);
    expect(JSON.parse(over.body ?? "")).toMatchObject({ message: expect.stringMatching(says) });
    expect(await lease.ask("aws")).toEqual(lasting);
    const { receipt, stderr } = await lease.end();
    expect(stderr).not.toContain("warning");
    for (const { renewed, failed } of receipt.renewals ?? []) expect([renewed > 0, failed]).toEqual([true, 0]);
  });

  test("is no news where the grant lasts as long as the lease", async () => {
    const lease = await openLease(stage, "lasting", ["--ttl", "10m"], { env: await fixedTokens(300) });
    const { stderr } = await lease.end();
    expect(stderr).not.toContain("can be renewed only until");
  });
});

describe("the audit log", () => {
  test("is whole after several leases have renewed, and been asked for too much, all at once", async () => {
    const leases = await Promise.all(["all", "all", "all"].map((profile) => openLease(stage, profile)));
    const outcomes = await Promise.all(
      leases.map(async (lease) => {
        const first = await lease.ask("aws");
        for (const [index] of [0, 1, 2, 3].entries()) await lease.ask("azure", `https://other-${index}.example`);
        await askUntil(lease, "aws", (answer: Answer) => answer.token !== first.token);
        return lease.end();
      }),
    );
    for (const [index, { receipt }] of outcomes.entries()) {
      const verified = await stage.run(["audit", "verify", "--head", receipt.audit.head]);
      expect(verified).toMatchObject({ code: 0, stderr: "" });
      const kinds = leases[index]?.records().map(({ kind }) => kind) ?? [];
      expect(kinds.filter((kind) => kind === "endpoint.refused")).toHaveLength(4);
      expect(kinds).toContain("grant.renewed");
      expect([kinds[0], kinds.at(-1)]).toEqual(["lease.start", "lease.end"]);
    }
    const log = await stage.run(["audit", "log"]);
    expect(log).toMatchObject({ code: 0, stderr: "" });
    for (const kind of ["grant.renewed", "endpoint.refused"]) expect(log.stdout).toContain(kind);
  });
});

import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, openStage, type Stage } from "./agentctl.js";
import { holdLatency } from "./faults/held-latency.js";
import { expectNothingLeft } from "./refusal.js";
import { FIRST, JIT as JIT_AZURE, READY, SUBSCRIPTION } from "./rights/azure-stage.js";
import { READER } from "./rights/gcp-stage.js";
import { AWS, AZURE, type Block, configOf, GCP } from "./three-clouds.js";

interface Told {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly string[];
  readonly facts?: Block;
}

const MISSPELT = [{ role: "roles/storage.objectVeiwer", resource: "buckets/other" }];
const NOT_THERE = [{ role: "Reader", scope: `${SUBSCRIPTION}/resourceGroups/nowhere` }];
const STRANGER = "99999999-aaaa-bbbb-cccc-dddddddddddd";
const { client_id: _first, ...POOLED } = JIT_AZURE;
const NOBODY = "nobody@agentctl-demo.iam.gserviceaccount.com";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(
    configOf({
      all: { aws: AWS, azure: AZURE, gcp: GCP },
      short: { ttl: "20s", aws: AWS },
      people: { actors: ["human"], aws: AWS },
      given: { gcp: READER, azure: { ...JIT_AZURE, ready: READY } },
      ungivable: {
        gcp: { ...READER, bindings: MISSPELT },
        azure: {
          ...POOLED,
          client_ids: [FIRST, STRANGER],
          assignments: NOT_THERE,
          ready: { ...READY, at: SUBSCRIPTION },
        },
      },
      mixed: { aws: { ...AWS, audience: "other" }, azure: AZURE, gcp: { ...GCP, service_account: NOBODY } },
    }),
  );
});
afterAll(() => stage.close());

async function doctor(profile: string, env: Readonly<Record<string, string>> = {}) {
  const before = stage.auditRecords().length;
  const { code, stdout, stderr } = await stage.run(["doctor", "-p", profile, "--json"], { env });
  const { checks } = JSON.parse(stdout) as { checks: readonly Told[] };
  const of = (name: string) => checks.filter(({ check }) => check === name);
  return { code, stdout, stderr, checks, of, records: stage.auditRecords().slice(before) };
}

function openLeases(): string[] {
  const dir = path.join(stage.stateDir, "leases");
  return fs.existsSync(dir) ? fs.readdirSync(dir) : [];
}

describe("doctor with a profile", () => {
  test("all is well: each cloud gives a grant of a minute, which is ended and on record", async () => {
    const { code, of, checks, stderr, records } = await doctor("all");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(checks.filter(({ status }) => status === "warn" || status === "fail")).toEqual([]);
    expect(of("exchange").map(({ facts }) => facts?.["cloud"])).toEqual(["aws", "azure", "gcp"]);
    expect(of("clock")).toHaveLength(3);
    expect(of("endpoints").map(({ status }) => status)).toEqual(["note", "note", "note", "note"]);
    expect(records).toMatchObject([
      { kind: "lease.start", command: { argv0: "agentctl" }, intent: expect.stringContaining("doctor") },
      { kind: "lease.end", decision: { allowed: true }, endings: [{ cloud: "aws", word: "fenced" }, {}, {}] },
    ]);
    const grants = records[0]?.["grants"] as readonly { usableUntil: string }[] | undefined;
    const lifeMs = Date.parse(String(grants?.[0]?.usableUntil)) - Date.parse(String(records[0]?.["time"]));
    expect(lifeMs).toBeLessThanOrEqual(60_000);
    expect(openLeases()).toEqual([]);
  });

  test("a profile of seconds is tried for as long as it allows", async () => {
    expect(await doctor("short")).toMatchObject({ code: 0 });
  });

  test("each refusal by itself: the step, and the claims beside what the profile expects", async () => {
    const { code, of, records, stderr } = await doctor("mixed");
    expect(code).toBe(77);
    expect(stderr).toMatch(/^agentctl: error\[CLOUD_DENIED\]: 2 fail \(exchange\)\n$/);
    const [aws, azure, gcp] = of("exchange");
    expect(aws).toMatchObject({ status: "fail", message: expect.stringContaining("Incorrect token audience") });
    expect(aws?.details).toContainEqual(expect.stringMatching(/^step: assume .*agentctl-demo/));
    expect(aws?.details).toContainEqual("claim: sub repo:acme/site:ref:refs/heads/main");
    expect(azure).toMatchObject({ status: "ok" });
    expect(gcp?.details).toContainEqual(expect.stringContaining(`step: then impersonate ${NOBODY}`));
    expect(records.map(({ kind }) => kind)).toEqual(["lease.start", "lease.refused"]);
    expect(openLeases()).toEqual([]);
  });

  test("of what a run gives for its lease nothing is given, and what stands in the way is told", async () => {
    const before = JSON.stringify([stage.sandbox.gcp.policies(), stage.sandbox.azureRoles.current()]);
    const { code, of, stderr, records } = await doctor("given");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(of("rights").map(({ status, facts }) => `${facts?.["cloud"]} ${status}`)).toEqual([
      ...["azure ok", "azure ok", "azure ok", "azure ok", "azure ok", "azure ok", "azure note"],
      ...["gcp ok", "gcp ok", "gcp note"],
    ]);
    expect(of("exchange").map(({ facts }) => facts?.["ending"])).toEqual(["expires", "expires"]);
    expect(records.at(-1)).toMatchObject({ kind: "lease.end", endings: [{ word: "expires" }, { word: "expires" }] });

    const bad = await doctor("ungivable");
    expect(bad.code).toBe(77);
    expect(bad.stderr).toMatch(/^agentctl: error\[CLOUD_DENIED\]: 2 fail \(rights\), 1 needs attention \(rights\)\n$/);
    expect(bad.of("rights").filter(({ status }) => status === "fail" || status === "warn")).toMatchObject([
      { status: "fail", message: expect.stringContaining("(ResourceGroupNotFound)") },
      { status: "warn", message: expect.stringMatching(/^azure: application 99999999-.* cannot be used/) },
      { status: "fail", message: expect.stringMatching(/^gcp: Google does not list roles\/storage\.objectVeiwer/) },
    ]);
    expect(JSON.stringify([stage.sandbox.gcp.policies(), stage.sandbox.azureRoles.current()])).toBe(before);
    expect(openLeases()).toEqual([]);
  });

  test("a token for another audience never reaches the cloud", async () => {
    const token = await stage.sandbox.mintToken({ audience: "elsewhere" });
    const { code, of, stdout } = await doctor("short", { AGENTCTL_ID_TOKEN: token });
    expect(code).toBe(76);
    expect(of("exchange")).toMatchObject([
      {
        message: expect.stringMatching(/^aws: no token for the audience "sts\.amazonaws\.com"/),
        details: [
          "step: get a token for the audience sts.amazonaws.com",
          "claim: aud elsewhere, and the profile expects sts.amazonaws.com",
        ],
      },
    ]);
    expect(stdout).not.toContain(token.split(".")[1]);
  });

  test("nobody gets a grant by it whom the profile is not for", async () => {
    const { code, of, records } = await doctor("people", { CLAUDECODE: "1" });
    expect(code).toBe(77);
    expect(of("exchange")).toMatchObject([{ status: "fail", code: "ACTOR_DENIED" }]);
    expect(records).toMatchObject([{ kind: "lease.refused", actor: { kind: "agent" } }]);
  });

  test("Ctrl-C while a cloud is slow: what was opened is closed, and it is on record", async () => {
    const latency = holdLatency();
    const slow = await openStage({}, latency.host);
    try {
      slow.writeConfig(configOf({ demo: { aws: AWS } }));
      slow.sandbox.faults.add({ service: "sts", kind: "latency", operation: "AssumeRoleWithWebIdentity" });
      const child = slow.start(["doctor", "-p", "demo"]);
      const exited = new Promise((resolve) => child.on("exit", resolve));
      await eventually(() => latency.held > 0);
      child.kill("SIGINT");
      expect(await exited).toBe(130);
      latency.release();
      expect(slow.auditRecords()).toMatchObject([{ kind: "lease.failed", error: { code: "INTERRUPTED" } }]);
      expectNothingLeft(slow);
    } finally {
      await slow.close();
    }
  });
});

import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually, type Outcome, openStage, outcomeOf, type Stage } from "./agentctl.js";
import { CLOUDS } from "./faults/clouds.js";
import { type HeldLatency, holdLatency } from "./faults/held-latency.js";
import { type FaultRow, rowsOf } from "./faults/rows.js";
import { expectNothingLeft, expectRefusal, neverRun } from "./refusal.js";
import { type Block, configOf } from "./three-clouds.js";

// The clouds side by side, each with a sandbox of its own: most of the time goes by in pauses between two tries.
describe.concurrent.each(CLOUDS)("what goes wrong with $title", (cloud) => {
  let stage: Stage;
  let latency: HeldLatency;
  beforeAll(async () => {
    latency = holdLatency();
    stage = await openStage({}, latency.host);
  });
  afterEach(async () => {
    stage.sandbox.faults.clear();
    stage.sandbox.clock.setOffset(0);
    // What was held is put on the sandbox's record now, and not while the next row counts.
    const recorded = stage.sandbox.requests().length + latency.release();
    await eventually(() => stage.sandbox.requests().length >= recorded);
    fs.rmSync(path.join(stage.dir, "ran"), { force: true });
  });
  afterAll(() => stage.close());

  test.sequential.each(rowsOf(cloud))("$name", async (row) => {
    const recordsBefore = stage.auditRecords().length;
    const requestsBefore = stage.sandbox.requests().length;
    stage.writeConfig(configOf({ demo: { ttl: "10m", [cloud.name]: { ...cloud.block, ...row.change } } }));
    for (const fault of row.faults ?? []) stage.sandbox.faults.add(fault);
    if (row.ahead !== undefined) stage.sandbox.clock.setOffset(3_600_000, row.ahead);
    const receipt = path.join(stage.dir, "receipt.json");
    const child = stage.start(
      ["run", "-p", "demo", ...(row.args ?? []), "--receipt", receipt, "--", ...neverRun(stage)],
      { env: (await row.env?.(stage)) ?? {} },
    );
    const ended = outcomeOf(child);
    const requests = () =>
      stage.sandbox
        .requests()
        .slice(requestsBefore)
        .filter((one) => isAt(one, row.place));
    if (row.interrupt !== undefined) {
      const reached = () => (row.interrupt === "unanswered" ? latency.held : requests().length) > 0;
      await eventually(() => reached() || child.exitCode !== null);
      child.kill("SIGINT");
    }
    expectRefusal(await ended, row);
    if (row.tries !== undefined) expect(requests()).toHaveLength(row.tries);
    for (const pauseMs of pausesOf(requests())) expect(pauseMs).toBeGreaterThanOrEqual((row.pauseMs ?? 0) - 20);
    expectRecorded(stage.auditRecords().slice(recordsBefore), row);
    expect(readJson(receipt)).toMatchObject({ error: { code: row.error }, grants: [], endings: [] });
    fs.rmSync(receipt);
    expectNothingLeft(stage);
  });

  test.sequential("what passes after a try or two is not told", async () => {
    stage.writeConfig(configOf({ demo: { ttl: "10m", [cloud.name]: cloud.block } }));
    for (const { service, operation } of cloud.places) {
      for (const kind of ["throttle", "cut", "error"] as const) {
        stage.sandbox.faults.add({ service, operation, kind, times: 1, retryAfterSeconds: 0 });
      }
    }
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "true"]);
    expect(outcome).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});

function isAt(request: { service: string; operation: string }, place: FaultRow["place"]): boolean {
  return request.service === place?.service && request.operation === place.operation;
}

function pausesOf(requests: readonly { readonly time: string }[]): readonly number[] {
  const times = requests.map(({ time }) => Date.parse(time));
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

function expectRecorded(records: readonly Record<string, unknown>[], row: FaultRow): void {
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    kind: row.code === 77 ? "lease.refused" : "lease.failed",
    profile: "demo",
    error: { code: row.error },
  });
  expect(JSON.stringify(records)).not.toMatch(/eyJ|ya29/);
  const error = records[0]?.["error"] as { readonly facts?: Block } | undefined;
  for (const [name, want] of Object.entries(row.facts)) {
    expect(error?.facts?.[name], name).toEqual(want instanceof RegExp ? expect.stringMatching(want) : want);
  }
}

function readJson(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

describe.concurrent("an answer that comes after the time-out", () => {
  test("is asked for again, by all three clouds at once", async () => {
    const latency = holdLatency();
    const stage = await openStage({}, latency.host);
    try {
      const blocks = CLOUDS.map(({ name, block }) => [name, block] as const);
      stage.writeConfig(configOf({ demo: { ttl: "10m", ...Object.fromEntries(blocks) } }));
      for (const { places } of CLOUDS) {
        const [{ service, operation }] = places;
        stage.sandbox.faults.add({ service, operation, kind: "latency", times: 1 });
      }
      const outcome: Outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "true"]);
      expect(outcome).toMatchObject({ code: 0, stderr: "" });
      expect(latency.held).toBe(CLOUDS.length);
    } finally {
      latency.release();
      await stage.close();
    }
  });
});

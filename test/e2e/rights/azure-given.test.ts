import fs from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { eventually } from "../agentctl.js";
import { startHeld } from "../endings/held-run.js";
import { expectNothingAlive } from "../endings/processes.js";
import { neverRun } from "../refusal.js";
import {
  askArmAs,
  assignBeside,
  assignedNow,
  azureStages,
  CONTAINER,
  EARLY_MS,
  FIRST,
  JIT,
  jitAssigned,
  MAY,
  MAY_NOT,
  pimRequests,
  profileOf,
  READY,
  SUBSCRIPTION,
  tryTokens,
} from "./azure-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const BY_ID = { role: "acdd72a7-3385-48ef-bd42-f606fba81ae7", scope: SUBSCRIPTION };

const open = azureStages({ "by-id": profileOf({ ...JIT, assignments: [BY_ID] }) });

const BESIDE = { role: "Reader", scope: `${SUBSCRIPTION}/resourceGroups/other`, to: FIRST };

const GAVE = {
  at: expect.stringMatching(/Z$/),
  text: expect.stringMatching(
    /^gave Reader on \S+ to application \S+, with the justification 'agentctl lease l-\w+ until \S+Z'$/,
  ),
};

test.each([
  { profile: "seen", word: "revoked", line: /^agentctl: azure: revoked since \S+Z/m },
  { profile: "bound", word: "removed", line: /^agentctl: azure: removed, usable until \S+Z at the latest/m },
])("on $profile: given before the command, works while it runs, and is taken back: $word", async (row) => {
  const stage = await open();
  await assignBeside(stage, BESIDE);
  const others = assignedNow(stage);
  const run = await startHeld(stage, row.profile);
  const deadlineAt = Date.parse(run.env["AGENTCTL_EXPIRES_AT"] ?? "");
  const given = assignedNow(stage).filter((one) => one.isTimeBound);
  expect(given).toEqual(jitAssigned());
  for (const { endsAt = 0 } of given) {
    expect(endsAt).toBeGreaterThanOrEqual(deadlineAt);
    expect(endsAt).toBeLessThan(deadlineAt + 12 * 60_000);
  }
  expect(await tryTokens(stage, run.env)).toEqual(MAY);

  stage.passTime(EARLY_MS);
  run.letGo();
  const outcome = await run.ended;
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  expect(outcome.stderr).toMatch(row.line);
  expect(assignedNow(stage)).toEqual(others);
  expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
  expect(pimRequests(stage)).toEqual(["AdminAssign 201", "AdminAssign 201", "AdminRemove 201", "AdminRemove 201"]);
  await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);

  const { endings } = run.receipt();
  expect(endings).toMatchObject([{ cloud: "azure", word: row.word }]);
  const texts = endings[0]?.steps?.map(({ text }) => text).join("\n") ?? "";
  expect(texts).toMatch(/^took Reader on \S+ of application \S+ back$/m);
  expect(run.records("lease.end")).toMatchObject([{ endings: [{ word: row.word }] }]);
  const gave = [{ cloud: "azure", steps: expect.arrayContaining([GAVE]) }];
  expect(run.records("lease.start")).toMatchObject([{ rights: gave }]);
  expect(run.receipt()).toMatchObject({ rights: gave });
  const kept = [JSON.stringify(run.receipt()), JSON.stringify(run.records()), outcome.stderr].join("\n");
  expect(kept).not.toMatch(/eyJ/);
});

test("what the application may do by somebody else's assignment as well is not called revoked", async () => {
  const stage = await open();
  await assignBeside(stage, { role: "Reader", scope: CONTAINER, to: FIRST });
  const run = await startHeld(stage, "seen");
  stage.passTime(EARLY_MS);
  run.letGo();
  const isWatched = () => stage.sandbox.requests().at(-1)?.operation === "Permissions_ListForScope";
  await eventually(() => pimRequests(stage).filter((one) => one === "AdminRemove 201").length === 2 && isWatched());
  // No longer than this is waited for it.
  stage.passTime(31_000);
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(run.receipt().endings).toMatchObject([{ word: "removed", detail: expect.stringContaining("was not seen") }]);
  expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
});

test("what is asked for ends by itself, and says whose it is", async () => {
  const stage = await open();
  const run = await startHeld(stage, "bound");
  const url = `${CONTAINER}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests?api-version=2020-10-01&$filter=asTarget()`;
  const told = await askArmAs(stage, FIRST, url);
  expect(told).toMatchObject({
    value: expect.arrayContaining([
      expect.objectContaining({
        properties: expect.objectContaining({
          scope: CONTAINER,
          requestType: "AdminAssign",
          justification: expect.stringMatching(new RegExp(`^agentctl lease ${run.id} until \\S+Z$`)),
          scheduleInfo: expect.objectContaining({
            expiration: expect.objectContaining({
              type: "AfterDuration",
              duration: expect.stringMatching(/^PT(1[5-9]|2\d)M$/),
            }),
          }),
        }),
      }),
    ]),
  });
  stage.passTime(30 * 60_000);
  expect(assignedNow(stage)).toEqual([]);
});

test("a role is named, or told by its id", async () => {
  const stage = await open();
  const run = await startHeld(stage, "by-id");
  expect(assignedNow(stage)).toMatchObject([{ role: "Reader", scope: SUBSCRIPTION, to: FIRST }]);
  expect(await tryTokens(stage, run.env)).toEqual({ ...MAY_NOT, groups: 200 });
});

test("the lease's time begins when the rights work", async () => {
  const stage = await open();
  const delayMs = 2_500;
  stage.sandbox.azureRoles.setPropagation(delayMs);
  const startedAt = Date.now();
  const run = await startHeld(stage, "seen", { args: ["--ttl", "10m"] });
  expect(Date.now() - startedAt).toBeGreaterThan(delayMs);
  expect(await tryTokens(stage, run.env)).toEqual(MAY);
  const deadlineAt = Date.parse(run.env["AGENTCTL_EXPIRES_AT"] ?? "");
  expect(deadlineAt).toBeGreaterThan(startedAt + delayMs + 10 * 60_000 - 1_000);
  expect(run.entry()).toMatchObject({ deadlineAt: expect.any(Number) });
  for (const { endsAt = 0 } of assignedNow(stage)) expect(endsAt).toBeGreaterThanOrEqual(deadlineAt);
});

test("--dry-run tells what would be given, by whom and how it ends, and asks nobody", async () => {
  const stage = await open();
  const { code, stdout } = await stage.run(["run", "-p", "seen", "--dry-run", "--", ...neverRun(stage)]);
  expect(code).toBe(0);
  for (const told of [
    `Reader on ${SUBSCRIPTION}`,
    `Storage Blob Data Reader on ${CONTAINER}`,
    ...(READY.permissions as string[]),
  ]) {
    expect(stdout).toContain(told);
  }
  expect(stdout).toMatch(/sign in as the granter, application \S+/);
  expect(stdout).toMatch(/removed/);
  expect(pimRequests(stage)).toEqual([]);
  expect(stage.sandbox.requests().filter(({ service }) => service === "arm")).toEqual([]);
  expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);
});

test("lease list and show tell of it", async () => {
  const stage = await open();
  const run = await startHeld(stage, "seen");
  const listed = await stage.run(["lease", "list"]);
  expect(listed.stdout).toMatch(new RegExp(`^${run.id} +seen +running +`, "m"));
  const shown = await stage.run(["lease", "show", run.id]);
  expect(shown).toMatchObject({ code: 0 });
  expect(shown.stdout).toMatch(
    /azure: gave Reader on \S+ to application \S+, with the justification 'agentctl lease l-\w+ until \S+Z'$/m,
  );
});

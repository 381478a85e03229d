import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type Stage } from "../agentctl.js";
import { CanarySearch } from "../leak/canary-search.js";
import { endHeldRuns, startHeld } from "./held-run.js";
import { openRevokingStage } from "./revoking-stage.js";

const SHARED_BEGINNING = /^IQoJb3JpZ2luX2Vj/;

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

test("nothing of a key or a token is in the ledger, the mark, the record, the receipt, or what is told of a lease", async () => {
  const search = new CanarySearch();
  const token = await stage.sandbox.mintToken();
  search.addToken("the caller's token", token);
  search.add("the request token", stage.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "");
  const env = { AGENTCTL_ID_TOKEN: token };
  const told: string[] = [];
  const tell = async (...args: string[]) => {
    const { stdout, stderr } = await stage.run(["lease", ...args], { env });
    told.push(stdout, stderr);
  };
  const run = await startHeld(stage, "demo", { args: ["--identity", "env"], env });
  search.add("the secret key", run.keys.secretAccessKey);
  search.add("the session token", run.keys.sessionToken.replace(SHARED_BEGINNING, ""));
  const findLeaks = () => [
    ...search.findInTree(stage.stateDir),
    ...told.flatMap((text) => search.find("what was printed", text)),
    ...search.find("stderr", run.stderr()),
  ];
  await tell("show", run.id);
  await tell("list", "--json");
  expect(findLeaks()).toEqual([]);

  process.kill(run.pid, "SIGSTOP");
  const mark = path.join(stage.stateDir, "leases", `${run.id}.revoke`);
  const revoking = tell("revoke", run.id);
  await eventually(() => fs.existsSync(mark));
  expect(fs.statSync(mark).mode & 0o777).toBe(0o600);
  expect(findLeaks()).toEqual([]);
  process.kill(run.pid, "SIGCONT");
  await revoking;
  expect(run.records("lease.revoked")).toHaveLength(1);
  run.letGo();
  await run.ended;
  await tell("show", run.id, "--json");
  told.push(JSON.stringify(run.receipt()));
  expect(findLeaks()).toEqual([]);
  expect(told.join("")).toContain("put the deny");
});

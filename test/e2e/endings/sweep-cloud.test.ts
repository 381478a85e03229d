import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Stage } from "../agentctl.js";
import { deniesOn, openRevokingStage, ROLE, withRole } from "./revoking-stage.js";

const CLOCK = path.resolve(import.meta.dirname, "../programs/clock.cjs");
const THEIRS = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
};

let stage: Stage;
beforeAll(async () => {
  const inlinePolicies = { theirs: THEIRS, "agentctl-revoke-of-somebody-else": THEIRS };
  stage = await openRevokingStage(withRole(ROLE, (role) => ({ ...role, inlinePolicies })));
});
afterAll(() => stage.close());

test("sweep --cloud removes the denies that are needed no more, tells those that still are, and leaves all others", async () => {
  for (const ttl of ["2m", "15m"]) {
    expect(await stage.run(["run", "-p", "demo", "--ttl", ttl, "--quiet", "--", "true"])).toMatchObject({ code: 0 });
  }
  const ours = deniesOn(stage)
    .filter((name) => /-l-\w{16}$/.test(name))
    .sort();
  expect(ours).toHaveLength(2);
  const [short = "", long = ""] = ours;

  // Where no ledger tells of them, as on a machine that is gone.
  const ahead = 8 * 60_000;
  stage.sandbox.clock.advance(ahead);
  const env = {
    AGENTCTL_STATE_DIR: path.join(stage.dir, "elsewhere"),
    NODE_OPTIONS: `--require ${CLOCK}`,
    CLOCK_AHEAD: stage.writeFile("ahead", String(ahead)),
  };
  const swept = await stage.run(["lease", "sweep", "--cloud", "-p", "demo", "--json"], { env });
  expect(swept, swept.stderr).toMatchObject({ code: 0 });
  const until = new Date(Number(/^agentctl-revoke-(\d+)-/.exec(long)?.[1]) * 1000).toISOString().slice(0, 19);
  expect(JSON.parse(swept.stdout)).toEqual({
    leases: [],
    files: [],
    clouds: [
      { cloud: "aws", profile: "demo", where: ROLE, removed: [short], kept: [{ name: long, until: `${until}Z` }] },
    ],
    failures: [],
  });
  expect(Object.keys(stage.sandbox.rolePolicies(ROLE)).sort()).toEqual(
    [long, "agentctl-revoke-of-somebody-else", "theirs"].sort(),
  );

  const everywhere = await stage.run(["lease", "sweep", "--cloud"], { env });
  expect(everywhere, everywhere.stderr).toMatchObject({ code: 0, stdout: "" });
  expect(deniesOn(stage)).toContain(long);
});

import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEMO_ENTITLEMENT } from "../../src/sandbox/gcp/world.js";
import type { Stage } from "../e2e/agentctl.js";
import { endHeldRuns, startHeld } from "../e2e/endings/held-run.js";
import {
  account,
  type Binding,
  givenTo,
  JIT,
  member,
  openGcpStage,
  PROJECT,
  profileOf,
  READ,
  VIEWER,
} from "../e2e/rights/gcp-stage.js";
import { tokenFor } from "../sandbox/google-clients.js";
import { runBare, skipWithout } from "./tools.js";

const NEED = { tool: "gcloud" };
const CREATOR = "roles/iam.serviceAccountTokenCreator";

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage({
    project: profileOf(givenTo(JIT, [{ role: VIEWER, resource: PROJECT }], { permissions: [READ] })),
    bucket: profileOf(givenTo(JIT, [{ role: VIEWER, resource: "buckets/other" }], { permissions: [READ] })),
    entitled: profileOf({
      ...givenTo(JIT, [], { permissions: [READ] }),
      entitlement: DEMO_ENTITLEMENT,
    }),
    account: profileOf(
      givenTo(JIT, [{ role: CREATOR, resource: `serviceAccounts/${account("demo")}` }], {
        permissions: ["iam.serviceAccounts.getAccessToken"],
      }),
    ),
  });
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

/** As somebody who may read and write policies, and knows nothing of agentctl. */
async function gcloud(...args: readonly string[]): Promise<unknown> {
  const config = path.join(stage.dir, "gcloud");
  fs.mkdirSync(config, { recursive: true });
  const outcome = await runBare(["gcloud", ...args, "--format", "json"], {
    ...stage.sandbox.env,
    CLOUDSDK_CONFIG: config,
    CLOUDSDK_AUTH_ACCESS_TOKEN: await tokenFor(stage.sandbox, "agentctl-granter"),
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_PROJECT: "agentctl-demo",
    HOME: config,
  });
  expect(outcome.code, outcome.stderr).toBe(0);
  return JSON.parse(outcome.stdout);
}

async function seeBindings(...resource: readonly string[]): Promise<readonly Binding[]> {
  const { bindings = [] } = (await gcloud(...resource)) as { bindings?: Binding[] };
  return bindings;
}

function isOurs({ condition }: Binding): boolean {
  return condition?.title.startsWith("agentctl-") === true;
}

function bindingOf(leaseId: string, profile: string, role: string) {
  return {
    role,
    members: [member("jit")],
    condition: {
      title: expect.stringMatching(new RegExp(`^agentctl-${leaseId}-\\d{10}$`)),
      description: `agentctl, lease ${leaseId} of profile ${profile}`,
      expression: expect.stringMatching(/^request\.time < timestamp\("\S+Z"\)$/),
    },
  };
}

test("gcloud sees a project's binding come and go, and what it writes itself meanwhile stays", async ({ skip }) => {
  skipWithout(skip, NEED);
  const see = () => seeBindings("projects", "get-iam-policy", "agentctl-demo");
  // Which gives nothing any more, or the end of the lease could not be seen.
  const expression = 'request.time < timestamp("2020-01-01T00:00:00Z")';
  const theirs = (title: string): Binding => ({
    role: VIEWER,
    members: [member("jit")],
    condition: { title, expression },
  });
  stage.sandbox.gcp.changePolicy(PROJECT, (all) => [...all, theirs("earlier")]);
  const before = await see();
  expect(before).toContainEqual(theirs("earlier"));
  expect(before.filter(isOurs)).toEqual([]);

  const run = await startHeld(stage, "project");
  const during = await see();
  expect(during.filter(isOurs)).toEqual([bindingOf(run.id, "project", VIEWER)]);
  expect(during.filter((binding) => !isOurs(binding))).toEqual(before);
  const added = ["--member", member("jit"), "--role", VIEWER];
  const condition = ["--condition", `title=meanwhile,expression=${expression}`];
  await gcloud("projects", "add-iam-policy-binding", "agentctl-demo", ...added, ...condition);
  run.letGo();
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });

  const after = await see();
  expect(after.filter(isOurs)).toEqual([]);
  expect(after.filter((binding) => binding.condition?.title !== "meanwhile")).toEqual(before);
  expect(after).toContainEqual(theirs("meanwhile"));
});

test.for([
  { profile: "bucket", resource: ["storage", "buckets", "get-iam-policy", "gs://other"], role: VIEWER },
  { profile: "account", resource: ["iam", "service-accounts", "get-iam-policy", account("demo")], role: CREATOR },
])("gcloud sees the binding on a $profile while the command runs", async ({ profile, resource, role }, { skip }) => {
  skipWithout(skip, NEED);
  const run = await startHeld(stage, profile);
  expect((await seeBindings(...resource)).filter(isOurs)).toEqual([bindingOf(run.id, profile, role)]);
  run.letGo();
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
});

test("gcloud sees the grant of an entitlement active, and revoked after that", async ({ skip }) => {
  skipWithout(skip, NEED);
  const run = await startHeld(stage, "entitled");
  const [{ name } = { name: "" }] = stage.sandbox.gcp.grants();
  expect(await gcloud("pam", "grants", "describe", name)).toMatchObject({
    state: "ACTIVE",
    requester: account("jit"),
    justification: {
      unstructuredJustification: expect.stringContaining(`agentctl lease ${run.id} of profile entitled until 20`),
    },
  });
  run.letGo();
  expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  expect(await gcloud("pam", "grants", "describe", name)).toMatchObject({ state: "REVOKED" });
});

import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage({
    project: profileOf(givenTo(JIT, [{ role: VIEWER, resource: PROJECT }], { permissions: [READ] })),
    bucket: profileOf(givenTo(JIT, [{ role: VIEWER, resource: "buckets/other" }], { permissions: [READ] })),
    account: profileOf(
      givenTo(JIT, [{ role: "roles/iam.serviceAccountTokenCreator", resource: `serviceAccounts/${account("demo")}` }], {
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
async function gcloud(...args: readonly string[]): Promise<{ readonly bindings?: readonly Binding[] }> {
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
  return JSON.parse(outcome.stdout) as { bindings?: Binding[] };
}

const ROWS = [
  { name: "project", on: ["projects"], of: "agentctl-demo", role: VIEWER },
  { name: "bucket", on: ["storage", "buckets"], of: "gs://other", role: VIEWER },
  {
    name: "account",
    on: ["iam", "service-accounts"],
    of: account("demo"),
    role: "roles/iam.serviceAccountTokenCreator",
  },
];

test.for(ROWS)(
  "gcloud sees the binding on a $name come and go, and what it writes itself meanwhile stays",
  async ({ name, on, of, role }, { skip }) => {
    skipWithout(skip, NEED);
    const see = async () => (await gcloud(...on, "get-iam-policy", of)).bindings ?? [];
    const theirs = (title: string): Binding => {
      const condition = { title, expression: 'request.time < timestamp("2090-01-01T00:00:00Z")' };
      return { role, members: [member("jit")], condition };
    };
    const add = ({ condition }: Binding) =>
      gcloud(
        ...[...on, "add-iam-policy-binding", of, "--member", member("jit"), "--role", role],
        ...["--condition", `title=${condition?.title},expression=${condition?.expression}`],
      );
    // Before.
    await add(theirs("earlier"));
    const before = await see();
    expect(before).toContainEqual(theirs("earlier"));
    // During.
    const run = await startHeld(stage, name);
    const during = await see();
    const ours = during.filter(({ condition }) => condition?.title.startsWith("agentctl-"));
    expect(ours).toMatchObject([
      {
        role,
        members: [member("jit")],
        condition: {
          title: expect.stringMatching(new RegExp(`^agentctl-${run.id}-\\d{10}$`)),
          description: `agentctl, lease ${run.id} of profile ${name}`,
          expression: expect.stringMatching(/^request\.time < timestamp\("\S+Z"\)$/),
        },
      },
    ]);
    expect(during.filter((binding) => !ours.includes(binding))).toEqual(before);
    await add(theirs("meanwhile"));
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    // After.
    const after = await see();
    expect(after.filter(({ condition }) => condition?.title !== "meanwhile")).toEqual(before);
    expect(after).toContainEqual(theirs("meanwhile"));
  },
);

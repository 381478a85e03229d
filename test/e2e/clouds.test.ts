import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleProgram, openStage, type Stage } from "./agentctl.js";
import { askClouds, EACH_CLOUD, HELLO } from "./ask-clouds.js";
import { expectNothingLeft } from "./refusal.js";
import { AWS, AZURE, configOf, GCP, REPORTS_ONLY } from "./three-clouds.js";

const { service_account: _account, ...FEDERATED } = GCP;
const CONFIG = configOf({
  all: { ttl: "10m", deliver: "env", aws: AWS, azure: AZURE, gcp: GCP },
  bounded: { ttl: "10m", deliver: "env", gcp: { ...GCP, access_boundary: [REPORTS_ONLY] } },
  federated: { ttl: "2h", deliver: "env", gcp: FEDERATED },
});

let stage: Stage;
let program: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
  program = await bundleProgram("clouds.mjs", stage.dir);
});
afterAll(() => stage.close());

/** Seconds since the epoch, from RFC 3339. */
const seconds = (instant: string | undefined): number => Date.parse(instant ?? "") / 1000;

describe("one lease on three clouds, in the environment", () => {
  test("the child has a use for each, and none for what it was not given", async () => {
    const { answers } = await askClouds(
      stage,
      program,
      "all",
      ...EACH_CLOUD,
      "s3:other/private.txt",
      "blob:other/private.txt",
      "blob-by-arm-token:demo/hello.txt",
      "gcs:other/private.txt",
      "gcs-put:demo/from-e2e.txt",
    );
    expect(answers).toEqual({
      "s3:demo/hello.txt": HELLO,
      arm: expect.stringMatching(`^200 .*"subscriptionId":"${AZURE["subscription_id"]}"`),
      "blob:demo/hello.txt": HELLO,
      "gcs:demo/hello.txt": HELLO,
      "s3:other/private.txt": "AccessDenied",
      "blob:other/private.txt": "403",
      "blob-by-arm-token:demo/hello.txt": "401",
      "gcs:other/private.txt": "403",
      "gcs-put:demo/from-e2e.txt": "200",
    });
  });

  test("the receipt has three grants, and says of each when it really ends", async () => {
    const { outcome, answers, receipt } = await askClouds(stage, program, "all", "azure-ends", "gcp-ends");
    expect(receipt.grants).toMatchObject([
      { cloud: "aws", principal: expect.stringContaining("assumed-role/agentctl-demo/") },
      { cloud: "azure", principal: `application ${AZURE["client_id"]} in tenant ${AZURE["tenant_id"]}` },
      { cloud: "gcp", principal: GCP["service_account"], facts: { token: "impersonated" } },
    ]);
    const [aws, azure, gcp] = receipt.endings;
    const deadline = seconds(receipt.deadlineAt);
    expect(aws).toMatchObject({ cloud: "aws", word: "fenced", at: receipt.deadlineAt });
    expect(seconds(aws?.until)).toBe(seconds(receipt.grants[0]?.expiresAt));
    expect(seconds(aws?.until)).toBeGreaterThan(deadline);
    expect(azure).toMatchObject({ cloud: "azure", word: "expires" });
    expect(Math.abs(seconds(azure?.at) - Number(answers["azure-ends"]))).toBeLessThanOrEqual(2);
    expect(seconds(azure?.at)).toBeGreaterThan(deadline + 2000);
    expect(gcp).toMatchObject({ cloud: "gcp", word: "expires" });
    expect(Math.abs(seconds(gcp?.at) - Number(answers["gcp-ends"]))).toBeLessThanOrEqual(2);
    expect(Math.abs(seconds(gcp?.at) - deadline)).toBeLessThanOrEqual(2);
    for (const { cloud, word, at } of receipt.endings) expect(outcome.stderr).toContain(`${cloud}: ${word} at ${at}`);
    expectNothingLeft(stage);
  });

  test("the variables are those of the design's table, and the caller's identity is not among them", async () => {
    const outcome = await stage.run(["run", "-p", "all", "--quiet", "--", "env"]);
    const variables = Object.fromEntries(outcome.stdout.split("\n").map((line) => line.split(/=(.*)/s, 2)));
    expect(variables).toMatchObject({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      AWS_SESSION_TOKEN: expect.any(String),
      AWS_REGION: "us-east-1",
      AZURE_ACCESS_TOKEN: expect.stringMatching(/^eyJ/),
      AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM: expect.stringMatching(/^eyJ/),
      AZURE_TENANT_ID: AZURE["tenant_id"],
      AZURE_CLIENT_ID: AZURE["client_id"],
      AZURE_SUBSCRIPTION_ID: AZURE["subscription_id"],
      ARM_TENANT_ID: AZURE["tenant_id"],
      ARM_CLIENT_ID: AZURE["client_id"],
      ARM_SUBSCRIPTION_ID: AZURE["subscription_id"],
      CLOUDSDK_AUTH_ACCESS_TOKEN: expect.stringMatching(/^ya29\./),
      GOOGLE_OAUTH_ACCESS_TOKEN: variables["CLOUDSDK_AUTH_ACCESS_TOKEN"],
      CLOUDSDK_CORE_PROJECT: GCP["project_id"],
      GOOGLE_CLOUD_PROJECT: GCP["project_id"],
    });
    expect(Object.keys(variables).filter((name) => /^ACTIONS_ID_TOKEN|FEDERATED_TOKEN|OIDC/.test(name))).toEqual([]);
  });

  test("an access boundary leaves what it names and no more", async () => {
    const actions = ["gcs:demo/reports/2026/q3.csv", "gcs:demo/hello.txt", "gcs-put:demo/reports/new.csv"];
    const { answers } = await askClouds(stage, program, "bounded", ...actions);
    expect(Object.values(answers)).toEqual(["200 region,total", "403", "403"]);
  });

  test("without a service account the child has the federated token, whose own end is told", async () => {
    const { outcome, answers, receipt } = await askClouds(
      stage,
      program,
      "federated",
      "gcs:demo/hello.txt",
      "gcp-ends",
    );
    expect(answers["gcs:demo/hello.txt"]).toBe(HELLO);
    const [ending] = receipt.endings;
    expect(receipt.grants).toMatchObject([{ cloud: "gcp", facts: { token: "federated" } }]);
    expect(Math.abs(seconds(ending?.at) - Number(answers["gcp-ends"]))).toBeLessThanOrEqual(2);
    expect(outcome.stderr).toContain(`Google Cloud: the token ends at ${ending?.at}, before the lease does`);
  });
});

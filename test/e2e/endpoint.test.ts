import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./agentctl.js";
import { type Answer, endLeases, openLease } from "./endpoint/open-lease.js";
import { expectNothingLeft } from "./refusal.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

const SHORT = { ttl: "1h", aws: AWS, azure: AZURE, gcp: GCP };
const CONFIG = configOf({
  short: SHORT,
  long: { ...SHORT, ttl: "2h" },
  served: { ...SHORT, deliver: "endpoint" },
  metadata: { ttl: "10m", peer_check: "require", gcp: { ...GCP, metadata: true } },
});

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
});
afterAll(async () => {
  await endLeases();
  await stage.close();
});

type Variables = Readonly<Record<string, string>>;

/** By which of its variables a cloud's tools are given a credential itself, or the way to one that is renewed. */
const STATIC = {
  aws: /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|CREDENTIAL_EXPIRATION)$/,
  azure: /^AZURE_ACCESS_TOKEN/,
  gcp: /^(CLOUDSDK_AUTH_ACCESS_TOKEN|GOOGLE_OAUTH_ACCESS_TOKEN)$/,
};
const REFRESHABLE = {
  aws: /^AWS_CONTAINER_/,
  azure: /^(AZD_AUTH_|ARM_USE_MSI$)/,
  gcp: /^CLOUDSDK_AUTH_ACCESS_TOKEN_FILE$/,
};
const CLOUDS = ["aws", "azure", "gcp"] as const;

function channelsOf(env: Variables): readonly string[] {
  return CLOUDS.map((cloud) => {
    const has = (names: RegExp) => Object.keys(env).some((name) => names.test(name));
    return `${has(STATIC[cloud]) ? "env" : ""}${has(REFRESHABLE[cloud]) ? "endpoint" : ""}`;
  });
}

describe("who goes by the endpoint", () => {
  const rows = [
    { name: "auto, up to an hour", args: ["-p", "short"], want: ["env", "endpoint", "endpoint"] },
    { name: "auto, beyond an hour", args: ["-p", "long"], want: ["endpoint", "endpoint", "endpoint"] },
    { name: "auto, shortened", args: ["-p", "long", "--ttl", "1h"], want: ["env", "endpoint", "endpoint"] },
    { name: "the profile's endpoint", args: ["-p", "served"], want: ["endpoint", "endpoint", "endpoint"] },
    { name: "--deliver env", args: ["-p", "served", "--deliver", "env"], want: ["env", "env", "env"] },
    {
      name: "--deliver endpoint",
      args: ["-p", "short", "--deliver", "endpoint"],
      want: ["endpoint", "endpoint", "endpoint"],
    },
  ];
  test.concurrent.each(rows)("$name: one credential for each tool, and never both kinds", async ({ args, want }) => {
    const print = "process.stdout.write(JSON.stringify(process.env))";
    const [outcome, preview] = await Promise.all([
      stage.run(["run", ...args, "--", process.execPath, "-e", print]),
      stage.run(["run", ...args, "--dry-run", "--", "true"]),
    ]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const env = JSON.parse(outcome.stdout) as Variables;
    expect(channelsOf(env)).toEqual(want);
    for (const [index, channel] of want.entries()) {
      const line = new RegExp(
        `^agentctl: ${CLOUDS[index]}: .*${channel === "env" ? ", usable" : ", by the endpoint, "}`,
        "m",
      );
      expect(outcome.stderr).toMatch(line);
    }
    // What `--dry-run` names is what the child finds.
    const named = /^child finds *([\s\S]*?)^child loses/m.exec(preview.stdout)?.[1]?.split(/\s+/).filter(Boolean) ?? [];
    expect(channelsOf(Object.fromEntries(named.map((name) => [name, ""])))).toEqual(want);
    expect(named.filter((name) => !(name in env))).toEqual([]);
  });
});

test("a dry run opens no endpoint, asks nobody, and leaves nothing on the disk", async () => {
  const stateDir = path.join(stage.dir, "dry");
  const asked = stage.sandbox.requests().filter(({ service }) => service !== "oidc").length;
  const outcome = await stage.run(["run", "-p", "served", "--dry-run", "--", "true"], {
    env: { AGENTCTL_STATE_DIR: stateDir },
  });
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  for (const text of [
    "the loopback endpoint, renewed while the lease lasts",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "IDENTITY_HEADER",
    "ARM_MSI_ENDPOINT",
    "AZD_AUTH_KEY",
  ]) {
    expect(outcome.stdout).toContain(text);
  }
  expect(outcome.stdout).not.toMatch(/127\.0\.0\.1:\d+\/\S{20}/);
  expect(stage.sandbox.requests().filter(({ service }) => service !== "oidc")).toHaveLength(asked);
  expect(fs.existsSync(stateDir)).toBe(false);
});

describe("a lease by the endpoint", () => {
  test("answers each tool in its own words, with what works, and the end that is told is the fence's", async () => {
    const lease = await openLease(stage, "served");
    const [aws, gcp, gcloud, azure, terraform, azd] = [
      await lease.ask("aws"),
      await lease.ask("gcp"),
      await lease.ask("gcloud"),
      await lease.ask("azure"),
      await lease.ask("azure-terraform"),
      await lease.ask("azd"),
    ];
    for (const answer of [aws, gcp, gcloud, azure, terraform, azd]) expect(answer).toMatchObject({ status: 200 });
    expect(gcp.token).toMatch(/^ya29\./);
    expect(gcloud.token).toBe(gcp.token);
    expect([terraform.token, azd.token]).toEqual([azure.token, azure.token]);
    expect([await lease.ask("use", "gcp"), await lease.ask("use", "azure")]).toEqual([200, 200]);
    const { receipt, stderr } = await lease.end();
    const [ofAws, ofAzure, ofGcp] = receipt.grants.map(({ usableUntil }) => Date.parse(usableUntil));
    // The keys are STS's for 15 minutes at the least, and a second or so longer than the fence in them.
    expect(aws.endsAt).toBe(ofAws);
    expect(stderr).toContain(`usable until ${new Date(aws.endsAt ?? 0).toISOString().slice(0, 19)}Z and renewed\n`);
    expect(Math.abs((azure.endsAt ?? 0) - (ofAzure ?? 0))).toBeLessThanOrEqual(1000);
    expect(Math.abs((gcp.endsAt ?? 0) - (ofGcp ?? 0))).toBeLessThanOrEqual(2000);
    expect(receipt.renewals).toEqual(CLOUDS.map((cloud) => ({ cloud, renewed: 0, failed: 0 })));
    expect(receipt).not.toHaveProperty("refusals");
  });

  test("answers by a metadata server where the profile asks for one", async () => {
    const lease = await openLease(stage, "metadata");
    const [metadata, gcp] = [await lease.ask("metadata"), await lease.ask("gcp")];
    expect(metadata).toMatchObject({ status: 200, token: gcp.token });
    expect(await lease.end()).toMatchObject({ code: 0 });
  });

  const others = [
    { ask: ["azure", "https://vault.azure.net"], status: 400, says: /invalid_scope.*no token for https:\/\/vault/ },
    {
      ask: ["azure-terraform", "https://graph.microsoft.com/"],
      status: 400,
      says: /azure\.scopes of this profile has/,
    },
    { ask: ["azd", "https://vault.azure.net/.default"], status: 200, says: /GetTokenError.*vault\.azure\.net/ },
  ];
  test("gives no token but the profile's, and a refusal is on record and on the receipt", async () => {
    const lease = await openLease(stage, "served");
    for (const { ask, status, says } of others) {
      const [verb = "", ...rest] = ask;
      expect(await lease.ask(verb, ...rest)).toEqual({ status, body: expect.stringMatching(says) });
    }
    const { receipt, stderr } = await lease.end();
    expect(receipt.refusals).toBe(others.length);
    expect(lease.records("endpoint.refused")).toEqual(
      others.map(() =>
        expect.objectContaining({ request: expect.objectContaining({ cloud: "azure", reason: "scope" }) }),
      ),
    );
    // Whose question it was is known: it is the command's own affair.
    expect(stderr).not.toContain("warning");
  });

  test("is over with its command: the port is closed, and nothing is left", async () => {
    const lease = await openLease(stage, "served");
    const env = await lease.ask<Variables>("env");
    const before = await askAsStranger(env);
    expect(before).not.toBe("ECONNREFUSED");
    const outcome = await lease.end();
    expect(outcome).toMatchObject({ code: 0 });
    expect(await askAsStranger(env)).toBe("ECONNREFUSED");
    expect(fs.existsSync(path.dirname(env["AWS_CONFIG_FILE"] ?? ""))).toBe(false);
    expect(fs.existsSync(path.join(stage.stateDir, "leases", `${lease.id}.json`))).toBe(false);
    expect(outcome.receipt.endings.map(({ cloud, word }) => `${cloud} ${word}`)).toEqual([
      "aws fenced",
      "azure expires",
      "gcp expires",
    ]);
    expectNothingLeft(stage);
  });
});

/** What a question of this process comes to: a status, or why there is no answer. */
function askAsStranger(env: Variables): Promise<Answer["status"] | string | undefined> {
  return new Promise((resolve) => {
    const request = http.get(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "", { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

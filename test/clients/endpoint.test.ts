import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { CloudName } from "../../src/core/profile.js";
import type { Fault } from "../../src/sandbox/faults.js";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { AWS, AZURE, configOf, GCP } from "../e2e/three-clouds.js";
import { ASKERS } from "./scope-askers.js";
import { STEADY_CLIENTS, type SteadyClient } from "./steady-clients.js";
import { countCredentials, requestsOf, startReading, steadyWorld } from "./steady-lease.js";
import { clientEnvironment } from "./storage-clients.js";
import { skipWithout } from "./tools.js";

// They mostly wait.
vi.setConfig({ maxConcurrency: 12 });

const LIFE_SECONDS = 15;
const LEASE = { ttl: "10m", credential_ttl: `${LIFE_SECONDS}s`, deliver: "endpoint" };
const STORAGE = "https://www.googleapis.com/auth/devstorage.read_only";
const CONFIG = configOf({
  azure: { ...LEASE, azure: AZURE },
  // One scope: each is asked for by a request of its own.
  "azure-outage": { ...LEASE, azure: { ...AZURE, scopes: ["https://storage.azure.com/.default"] } },
  "aws-outage": { ...LEASE, aws: AWS },
  "gcp-outage": { ...LEASE, gcp: GCP },
  fixed: { ...LEASE, aws: AWS },
  storage: { ...LEASE, peer_check: "require", gcp: { ...GCP, metadata: true, scopes: [STORAGE] } },
});

let stage: Stage;
/** Of its own, since a fault is for whoever comes next. */
let failing: Stage;
beforeAll(async () => {
  [stage, failing] = await Promise.all([openStage(steadyWorld(LIFE_SECONDS)), openStage(steadyWorld(LIFE_SECONDS))]);
  for (const each of [stage, failing]) each.writeConfig(CONFIG);
});
afterAll(() => Promise.all([stage.close(), failing.close()]));

function run(args: readonly string[], command: readonly string[]): Promise<Outcome> {
  return stage.run(["run", ...args, "--", ...command], { env: clientEnvironment(stage.sandbox.caFile) });
}

const SCOPES = {
  azure: {
    other: "https://graph.microsoft.com/.default",
    own: "https://storage.azure.com/.default",
    says: /no token for https:\/\/graph\.microsoft\.com\/?: azure\.scopes of this profile has /,
  },
  storage: {
    other: "https://www.googleapis.com/auth/spreadsheets",
    own: STORAGE,
    says: /the profile gives none of the scopes asked for \(https:\/\/www\.googleapis\.com\/auth\/spreadsheets\), but /,
  },
};

describe.concurrent("a scope that the profile does not name", () => {
  test.for(ASKERS)("is refused, on record, and $name says so", async ({ profile, needs, argv }, { skip }) => {
    skipWithout(skip, ...needs);
    const { other, own, says } = SCOPES[profile];
    const script = 'echo "$AGENTCTL_LEASE_ID"; "$@" "$OTHER"; "$@" "$OWN"';
    const command = ["env", `OTHER=${other}`, `OWN=${own}`, "sh", "-c", script, "sh", ...argv];
    const { code, stdout, stderr } = await run(["-p", profile, "--quiet"], command);
    const [lease, refused, given] = stdout.trim().split("\n");
    expect(refused, stderr).toMatch(says);
    expect([code, given]).toEqual([0, "a token"]);
    const records = stage.auditRecords().filter((record) => record["lease"] === lease);
    const request = {
      cloud: profile === "azure" ? "azure" : "gcp",
      reason: "scope",
      message: expect.stringMatching(says),
    };
    expect(records).toContainEqual(
      expect.objectContaining({ kind: "endpoint.refused", request: expect.objectContaining(request) }),
    );
  });
});

interface Outage {
  readonly client: string;
  readonly cloud: CloudName;
  readonly service: Fault["service"];
}

const OUTAGES: readonly Outage[] = [
  { client: "boto3", cloud: "aws", service: "sts" },
  { client: "google-cloud-storage for Python", cloud: "gcp", service: "iamcredentials" },
  { client: "DefaultAzureCredential in JavaScript", cloud: "azure", service: "entra" },
];

describe.concurrent("a cloud that refuses to renew, twice", () => {
  test.for(OUTAGES)(
    "$client goes on with what it has, and then with the new",
    async ({ client: name, cloud, service }, { skip }) => {
      const client = STEADY_CLIENTS.find((one) => one.name === name) as SteadyClient;
      client.skipIfMissing(skip);
      const lease = startReading(client, ["-p", `${cloud}-outage`], failing, {
        env: clientEnvironment(failing.sandbox.caFile),
      });
      await lease.reach(() => requestsOf(client, failing).length > 0);
      failing.sandbox.faults.add({ service, kind: "deny", times: 2 });
      await lease.reach(() => countCredentials(requestsOf(client, failing)) >= 2);
      const { code, stdout, stderr } = await lease.stop();
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "done\n" });
      expect(requestsOf(client, failing).filter(({ status }) => status >= 400)).toEqual([]);
      const told = stderr.split("\n").filter((line) => /warning|renewed after all/.test(line));
      expect(told).toEqual([
        expect.stringMatching(
          `^agentctl: warning: ${cloud}: cannot be renewed \\(CLOUD_DENIED: .*; usable until .*, trying again$`,
        ),
        expect.stringMatching(`^agentctl: ${cloud}: renewed after all, usable until `),
      ]);
      const ends = failing
        .auditRecords()
        .filter(({ kind, profile }) => kind === "lease.end" && profile === `${cloud}-outage`);
      expect(ends.at(-1)?.["renewals"]).toMatchObject([{ cloud, failed: 2 }]);
    },
  );
});

describe.concurrent("a token that there is no other of", () => {
  test("is told at the start, with the time until which it will do", async ({ skip }) => {
    skipWithout(skip, { tool: "aws" });
    const token = await stage.sandbox.mintToken({ expiresInSeconds: 60 });
    const env = {
      ...clientEnvironment(stage.sandbox.caFile),
      AGENTCTL_ID_TOKEN: token,
      ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined,
    };
    const command = ["aws", "s3", "ls", "s3://demo"];
    const { code, stdout, stderr } = await stage.run(["run", "-p", "fixed", "--", ...command], { env });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("for-python3-boto3");
    expect(stderr).toMatch(/can be renewed only until the identity token ends at .*: the source env gives no other/);
  });
});

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openStage, type Stage } from "../e2e/agentctl.js";
import { AWS, AZURE, configOf, GCP } from "../e2e/three-clouds.js";
import { type Moto, startMoto } from "./moto.js";
import { STEADY_CLIENTS } from "./steady-clients.js";
import { countCredentials, requestsOf, startReading, steadyWorld } from "./steady-lease.js";
import { clientEnvironment } from "./storage-clients.js";
import { skipWithout } from "./tools.js";

// All at once: they mostly wait.
vi.setConfig({ maxConcurrency: STEADY_CLIENTS.length + 1 });

/** Renewed at two thirds of it: long enough that the rest will do while all of them start, short enough to wait for two. */
const LIFE_SECONDS = 20;
const LEASE = { ttl: "10m", credential_ttl: `${LIFE_SECONDS}s`, deliver: "endpoint" };
const CONFIG = configOf({
  aws: { ...LEASE, aws: AWS },
  azure: { ...LEASE, azure: AZURE },
  gcp: { ...LEASE, gcp: GCP },
  // Moto goes by no fence, so that a slow moment does no harm.
  moto: { ...LEASE, credential_ttl: "9s", aws: { ...AWS, role_arn: "arn:aws:iam::123456789012:role/agentctl-demo" } },
  metadata: { ...LEASE, peer_check: "require", gcp: { ...GCP, metadata: true } },
});
const CREDENTIALS = 3;
const DONE = { code: 0, signal: null, stdout: "done\n" };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(steadyWorld(LIFE_SECONDS));
  stage.writeConfig(CONFIG);
});
afterAll(() => stage.close());

describe.concurrent("inside one lease, across its renewals", () => {
  test.for(STEADY_CLIENTS)("$name goes on working", async (client, { skip }) => {
    client.skipIfMissing(skip);
    const profile = client.metadata === true ? "metadata" : client.cloud;
    const env = clientEnvironment(stage.sandbox.caFile);
    const lease = startReading(client, ["-p", profile, "--quiet"], stage, { env });
    await lease.reach(() => countCredentials(requestsOf(client, stage)) >= CREDENTIALS);
    expect(await lease.stop()).toEqual({ ...DONE, stderr: "" });
    const requests = requestsOf(client, stage);
    expect(countCredentials(requests)).toBeGreaterThanOrEqual(CREDENTIALS);
    expect(requests.filter(({ status, code }) => status >= 400 && code !== "NoSuchKey")).toEqual([]);
  });
});

describe.concurrent("moto as AWS, whose sessions outlast the credential_ttl", () => {
  const SDKS = STEADY_CLIENTS.filter(({ cloud, name }) => cloud === "aws" && !name.startsWith("the AWS CLI"));
  let moto: Moto | undefined;
  afterAll(() => moto?.close());

  /** How often each lease of the profile has been renewed. */
  function renewals(): number[] {
    const renewed = stage.auditRecords().filter(({ kind, profile }) => kind === "grant.renewed" && profile === "moto");
    const leases = new Set(renewed.map(({ lease }) => lease));
    return [...leases].map((lease) => renewed.filter((record) => record["lease"] === lease).length);
  }

  test("the SDKs go by the fence, which the endpoint tells them", async ({ skip }) => {
    skipWithout(skip, { tool: "moto_server" });
    for (const client of SDKS) client.skipIfMissing(skip);
    moto = await startMoto();
    const { url } = moto;
    await fetch(`${url}/demo`, { method: "PUT" });
    for (const { object } of SDKS) await fetch(`${url}/demo/${object}`, { method: "PUT", body: "for one client\n" });
    await fetch(`${url}/moto-api/recorder/start-recording`, { method: "POST" });
    const names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"];
    const env = { ...clientEnvironment(stage.sandbox.caFile), ...Object.fromEntries(names.map((name) => [name, url])) };
    const leases = SDKS.map((client) => startReading(client, ["-p", "moto", "--quiet"], stage, { env }));
    // When the third credential has gone, it has been read with.
    const isEnough = (): boolean => renewals().filter((count) => count >= CREDENTIALS).length === SDKS.length;
    await Promise.all(leases.map((lease) => lease.reach(isEnough)));
    for (const lease of leases) expect(await lease.stop()).toMatchObject(DONE);
    const recording = await (await fetch(`${url}/moto-api/recorder/download-recording`)).text();
    for (const { object } of SDKS)
      expect(countCredentials(readsOf(object, recording))).toBeGreaterThanOrEqual(CREDENTIALS);
  });
});

/** Moto's recording has a request a line. */
function readsOf(object: string, recording: string): { credential?: string }[] {
  const requests = recording
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { url: string; headers: Record<string, string> });
  const reads = requests.filter(({ url }) => new URL(url).pathname === `/demo/${object}`);
  return reads.map(({ headers }) => ({
    credential: /Credential=(\w+)/.exec(headers["Authorization"] ?? "")?.[1] ?? "",
  }));
}

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../../../src/sandbox/certificates.js";
import { discovery, grants, TENANT } from "../azure/fake-entra.js";
import { federates, impersonates } from "../gcp/fake-google.js";
import { type FakeService, type Reply, startFakeService } from "./fake-service.js";
import { TOKEN } from "./identity.js";

/** What in a shell or a CI job would lead the clouds' libraries elsewhere, or have them print what they send. */
const HOSTILE = {
  HTTPS_PROXY: "http://127.0.0.1:9",
  HTTP_PROXY: "http://127.0.0.1:9",
  AZURE_LOG_LEVEL: "verbose",
  AZURE_CLIENT_ID: "ambient-client",
  AZURE_TENANT_ID: "ambient-tenant",
  AZURE_CLIENT_SECRET: "ambient-secret",
  AZURE_FEDERATED_TOKEN_FILE: "/nonexistent/token",
  AZURE_IDENTITY_DISABLE_MULTITENANTAUTH: "true",
  GOOGLE_SDK_NODE_LOGGING: "*",
  GOOGLE_APPLICATION_CREDENTIALS: "/nonexistent/credentials.json",
  GOOGLE_CLOUD_UNIVERSE_DOMAIN: "elsewhere.example",
  NODE_DEBUG: "auth",
} as const;

let dir: string;
const services: FakeService[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "agentctl-ambient-"));
  await build({
    entryPoints: [path.join(import.meta.dirname, "issue-in-a-process.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    mainFields: ["module", "main"],
    outfile: path.join(dir, "issue.cjs"),
    logLevel: "silent",
  });
});

afterAll(async () => {
  await Promise.all(services.map((service) => service.close()));
  rmSync(dir, { recursive: true, force: true });
});

describe("a process of its own, with NODE_EXTRA_CA_CERTS and a hostile environment", () => {
  it.each([
    { cloud: "azure", variable: "AZURE_AUTHORITY_HOST", tls: true, route: routeEntra },
    { cloud: "gcp", variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", tls: true, route: () => federates() },
    {
      cloud: "gcp-account",
      variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS",
      tls: false,
      route: ({ path: asked }: { path: string }) => (asked === "/v1/token" ? federates() : impersonates()),
    },
  ])(
    "asks $cloud where it was told to, prints no token, and leaves the environment and the disk alone",
    async (one) => {
      const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
      const ca = path.join(dir, `${one.cloud}-ca.pem`);
      writeFileSync(ca, caPem);
      const tls = one.tls ? { cert: serverPem, key: serverKeyPem } : undefined;
      const service: FakeService = await startFakeService((asked) => one.route(asked, service.url), tls);
      services.push(service);
      const home = mkdtempSync(path.join(dir, "home-"));
      const { stdout, stderr } = await run(one.cloud, {
        ...HOSTILE,
        HOME: home,
        NODE_EXTRA_CA_CERTS: ca,
        [one.variable]: service.url,
        CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: service.url,
      });
      expect(stderr).toBe("");
      const { grant, tokens, environmentKept } = JSON.parse(stdout) as Record<string, unknown>;
      expect(grant).toMatchObject({ cloud: one.cloud.replace("-account", "") });
      expect(tokens).toEqual(expect.arrayContaining([expect.stringContaining("canary")]));
      expect(environmentKept).toBe(true);
      expect(readdirSync(home)).toEqual([]);
      expect(service.asked.every(({ body }) => !body.includes("ambient"))).toBe(true);
      expect(service.asked.some(({ body }) => body.includes(TOKEN))).toBe(true);
    },
  );
});

function routeEntra({ method }: { method: string }, origin: string): Reply {
  return method === "GET" ? discovery(origin) : grants();
}

function run(cloud: string, env: Readonly<Record<string, string>>): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [path.join(dir, "issue.cjs"), cloud, TENANT], { env, cwd: dir });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isCredentialVariable } from "../../src/core/sensitive-variables.js";
import { makeCertificates } from "../../src/sandbox/certificates.js";
import { DEMO_PROFILE, eventually } from "./agentctl.js";
import { type Answer, askUntil, endLeases, type OpenLease, openLease, PROGRAM } from "./endpoint/open-lease.js";
import { echoClouds, googleError, json, oauthError } from "./leak/echo-clouds.js";
import { type EchoService, startEchoService, stsError, stsSession } from "./leak/echo-service.js";
import { type LeakStage, openLeakStage } from "./leak/leak-stage.js";
import { AWS, AZURE, GCP } from "./three-clouds.js";

const azure = { ...AZURE, scopes: ["https://management.azure.com/.default"] };
const SERVED = { ttl: "10m", credential_ttl: "5s", deliver: "endpoint", aws: AWS, azure, gcp: GCP };
const CLOUDS = ["aws", "azure", "gcp"] as const;
/** By which the child asks: in files of the lease's own while it lives. */
const OWN_FILES = /^the endpoint's \w+ in state\/run\/[^/]+\/(google-credentials\.json|aws-endpoint-token)$/;
const TOKEN_FILE = /^the service account's token in state\/run\/[^/]+\/google-access-token$/;

let leak: LeakStage;
let echo: EchoService;
let env: Readonly<Record<string, string | undefined>>;
beforeAll(async () => {
  const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
  [leak, echo] = await Promise.all([openLeakStage(), startEchoService({ cert: serverPem, key: serverKeyPem })]);
  leak.stage.writeConfig(`${DEMO_PROFILE}  served: ${JSON.stringify({ ...SERVED, env: { mode: "cloud" } })}\n`);
  const ca = leak.stage.writeFile("echo-ca.pem", caPem);
  env = {
    ...leak.env,
    NODE_EXTRA_CA_CERTS: ca,
    AWS_CA_BUNDLE: ca,
    AWS_ENDPOINT_URL_STS: echo.url,
    AZURE_AUTHORITY_HOST: echo.url,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: echo.url,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: echo.url,
  };
});
afterAll(async () => {
  await endLeases();
  await Promise.all([leak.close(), echo.close()]);
});

/** All three clouds, whose grants last for five seconds, and whose every token is looked for. */
function grantShortly(changed: Parameters<typeof echoClouds>[2] = {}): void {
  const { search } = leak;
  const endingIn = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  echo.answer(
    echoClouds(echo.url, search, {
      assume: ({ operation }) =>
        stsSession(operation, {
          secretAccessKey: search.plant("AWS's secret key"),
          sessionToken: search.plant("AWS's session token"),
          expiration: endingIn(900),
        }),
      azure: () => json(200, { token_type: "Bearer", expires_in: 5, access_token: search.plant("Azure's token") }),
      impersonate: () =>
        json(200, { accessToken: search.plant("the service account's token"), expireTime: endingIn(5) }),
      ...changed,
    }),
  );
}

interface PrivateFile {
  readonly name: string;
  readonly mode: string;
  readonly text: string | null;
}

/** What is found of what was granted, and of what the caller has, in what lies in the lease's private directory. */
async function findInFiles(): Promise<readonly string[]> {
  const files = await lease.ask<PrivateFile[]>("files");
  for (const { name, mode, text } of files) expect(`${name} ${mode}`).toBe(`${name} ${text === null ? "700" : "600"}`);
  return files.flatMap(({ name, text }) => leak.search.find(name, text ?? ""));
}

/** Everywhere but in the files of the lease that are there for it, which are looked through by themselves. */
function findElsewhere(said: string): readonly string[] {
  const found = [...leak.findLeaks({ stdout: "", stderr: said }), ...leak.findInCommandLines()];
  return found.filter((each) => !TOKEN_FILE.test(each) && !OWN_FILES.test(each));
}

/** The lease's secrets, by which its endpoint is asked: as dangerous as what it answers with, for as long as it lives. */
function plantOwnSecrets(): void {
  const partOf = (name: string, index: number) => new URL(child[name] ?? "").pathname.split("/").at(index) ?? "";
  leak.search.add("the endpoint's secret", child["IDENTITY_HEADER"] ?? "");
  leak.search.add("the endpoint's path", partOf("AWS_CONTAINER_CREDENTIALS_FULL_URI", 1));
  leak.search.add("the endpoint's path for Terraform", partOf("ARM_MSI_ENDPOINT", -2));
}

let lease: OpenLease;
let child: Readonly<Record<string, string>>;
beforeAll(async () => {
  grantShortly();
  lease = await openLease(leak.stage, "served", [], { env });
  child = await lease.ask("env");
});

test("the child finds no credential among its variables, neither its own nor its caller's", async () => {
  const found = Object.entries(child).flatMap(([name, value]) =>
    // A path of code, by which `az` finds its extensions.
    name === "AZURE_EXTENSION_DIR" ? [] : leak.search.find(name, value),
  );
  expect(found).toEqual([]);
  const names = Object.keys(child).filter((name) => isCredentialVariable(name));
  expect(names.filter((name) => /TOKEN$|SECRET|ACCESS_KEY|PASSWORD/.test(name))).toEqual([]);
});

test("the private files hold no token but gcloud's, before a renewal and after it", async () => {
  const before = new Map<string, Answer>();
  for (const cloud of CLOUDS) before.set(cloud, await lease.ask(cloud));
  // That there is something to be found.
  for (const [cloud, { token }] of before) expect(leak.search.find(cloud, token ?? "")).toHaveLength(1);
  expect(await findInFiles()).toEqual(["the service account's token in google-access-token"]);
  await eventually(() => lease.records("grant.renewed").length >= 2 * CLOUDS.length);
  expect(await findInFiles()).toEqual(["the service account's token in google-access-token"]);
  expect((await lease.ask("azure")).token).not.toBe(before.get("azure")?.token);
  expect(findElsewhere(lease.stderr())).toEqual([]);
});

test("neither who is refused learns anything, nor who reads of it, whatever a cloud repeats", async () => {
  plantOwnSecrets();
  grantShortly({
    assume: ({ secret }) => stsError(403, "AccessDenied", `no ${secret}`),
    azure: ({ secret, body }) => oauthError(400, "invalid_request", `${secret} ${body}`),
    impersonate: ({ secret }) => googleError(403, "PERMISSION_DENIED", secret),
  });
  for (const cloud of CLOUDS) await lease.said(new RegExp(`warning: ${cloud}: cannot be renewed \\(CLOUD_DENIED`));
  const stranger = path.join(leak.outside, "stranger");
  await leak.stage.runIn(process.execPath, [PROGRAM, "once", stranger, '["aws"]'], { env: child });
  const refusals = [fs.readFileSync(stranger, "utf8"), JSON.stringify(await lease.ask("azd", "https://other.example"))];
  for (const cloud of CLOUDS) {
    refusals.push(JSON.stringify(await askUntil(lease, cloud, ({ status }) => status !== 200)));
  }
  expect(refusals.flatMap((text) => leak.search.find("a refusal", text))).toEqual([]);
  const listed = await leak.stage.run(["lease", "list", "--json"], { env });
  expect(JSON.parse(listed.stdout)).toMatchObject([{ profile: "served" }]);
  expect(findElsewhere(`${lease.stderr()}${listed.stdout}${listed.stderr}`)).toEqual([]);
});

test("after the end nothing is left of it, and what is shown then holds none of it", async () => {
  const { code, stderr } = await lease.end();
  expect(code).toBe(0);
  expect(fs.readdirSync(path.join(leak.stage.stateDir, "run"))).toEqual([]);
  expect(leak.findLeaks({ stdout: "", stderr })).toEqual([]);
  for (const args of [
    ["audit", "log"],
    ["audit", "log", "--json"],
    ["audit", "export", "--format", "csv"],
    ["lease", "list"],
  ]) {
    const shown = await leak.stage.run(args, { env });
    expect(shown).toMatchObject({ code: 0 });
    expect(leak.findLeaks(shown)).toEqual([]);
  }
});

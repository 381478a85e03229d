import { describe, expect, it } from "vitest";
import { serveMetadata } from "../../../src/clouds/gcp/metadata.js";
import { serveGcp } from "../../../src/clouds/gcp/serve.js";
import type { EndpointQuestion, RefusalReason } from "../../../src/core/endpoint.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { question, runNode, serveOverHttp } from "../exchange/serving.js";
import { ACCOUNT, CLOUD_PLATFORM, federatedSettings, gcpSettings, IMPERSONATED, STORAGE_READ } from "./fake-google.js";
import { grantUntil } from "./serving.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const V1 = "/computeMetadata/v1";
const ACCOUNTS = `${V1}/instance/service-accounts`;
const FLAVOR = { "metadata-flavor": "Google" };
const SETTINGS = gcpSettings({ projectId: "my-project", scopes: [STORAGE_READ], metadata: true });

function answerTo(url: string, overrides: Partial<EndpointQuestion> = {}, settings: GcpSettings = SETTINGS) {
  const server = serveMetadata(settings, { now: () => NOW });
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  const asked = question({ path: pathname, query: searchParams, headers: FLAVOR, ...overrides });
  const said = server.answer(asked, grantUntil(NOW + 599_900));
  return "reason" in said ? server.refuse(asked, said) : said;
}

describe("the metadata server", () => {
  it.each([
    { name: "its root", url: "/", want: "computeMetadata/\n" },
    { name: "the project", url: `${V1}/project/project-id`, want: "my-project" },
    { name: "its number, as the pool has it", url: `${V1}/project/numeric-project-id`, want: "123456789" },
    { name: "the universe", url: `${V1}/universe/universe-domain`, want: "googleapis.com" },
    { name: "the accounts", url: `${ACCOUNTS}/`, want: `default/\n${ACCOUNT}/\n` },
    { name: "the accounts, without a slash", url: ACCOUNTS, want: `default/\n${ACCOUNT}/\n` },
    { name: "the account's email", url: `${ACCOUNTS}/default/email`, want: ACCOUNT },
    { name: "by its name too", url: `${ACCOUNTS}/${ACCOUNT}/email`, want: ACCOUNT },
    { name: "escaped", url: `${ACCOUNTS}/${encodeURIComponent(ACCOUNT)}/email`, want: ACCOUNT },
    { name: "its scopes", url: `${ACCOUNTS}/default/scopes`, want: `${STORAGE_READ}\n` },
  ])("tells $name", ({ url, want }) => {
    expect(answerTo(url)).toEqual({
      status: 200,
      headers: { ...FLAVOR, "content-type": "application/text" },
      body: want,
    });
  });

  it("tells it as JSON where that is asked for", () => {
    const { headers, body } = answerTo(`${ACCOUNTS}/default/scopes?alt=json`);
    expect(headers).toMatchObject({ "content-type": "application/json" });
    expect(JSON.parse(body)).toEqual([STORAGE_READ]);
  });

  it("tells all of an account at once", () => {
    const { headers, body } = answerTo(`${ACCOUNTS}/default/?recursive=true`);
    expect(headers).toMatchObject({ "content-type": "application/json" });
    expect(JSON.parse(body)).toEqual({ aliases: ["default"], email: ACCOUNT, scopes: [STORAGE_READ] });
  });

  it.each(["default", ACCOUNT])("gives the grant's token to %s", (account) => {
    const { status, body } = answerTo(`${ACCOUNTS}/${account}/token?scopes=${STORAGE_READ},${CLOUD_PLATFORM}`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ access_token: IMPERSONATED, expires_in: 599, token_type: "Bearer" });
  });

  it("names a federated identity by its pool", () => {
    const settings = federatedSettings({ metadata: true });
    expect(answerTo(`${ACCOUNTS}/default/email`, {}, settings).body).toBe("ci.global.123456789.workload.id.goog");
    expect(answerTo(`${V1}/project/project-id`, {}, settings).status).toBe(404);
  });

  const token = `${ACCOUNTS}/default/token`;
  it.each([
    { name: "without the header", url: token, asked: { headers: {} }, want: 403 },
    { name: "with another flavor", url: token, asked: { headers: { "metadata-flavor": "google" } }, want: 403 },
    { name: "forwarded", url: token, asked: { headers: { ...FLAVOR, "x-forwarded-for": "10.0.0.1" } }, want: 403 },
    { name: "forwarded, its root", url: "/", asked: { headers: { "x-forwarded-for": "10.0.0.1" } }, want: 403 },
    { name: "by POST", url: token, asked: { method: "POST" }, want: 400 },
    { name: "for another product's scopes", url: `${token}?scopes=openid`, asked: {}, want: 403 },
    { name: "for an ID token", url: `${ACCOUNTS}/default/identity?audience=x`, asked: {}, want: 404 },
    { name: "for another account", url: `${ACCOUNTS}/other@x.iam.gserviceaccount.com/token`, asked: {}, want: 404 },
    { name: "for the zone", url: `${V1}/instance/zone`, asked: {}, want: 404 },
    { name: "for what is below a value", url: `${V1}/project/project-id/x`, asked: {}, want: 404 },
    { name: "for what every object has", url: `${V1}/constructor`, asked: {}, want: 404 },
    { name: "for another version", url: "/computeMetadata/v1beta1/project/project-id", asked: {}, want: 404 },
  ])("refuses what is asked $name", ({ url, asked, want }) => {
    const { status, headers, body } = answerTo(url, asked);
    expect(status).toBe(want);
    expect(headers).toMatchObject(FLAVOR);
    expect(body).toMatch(/^agentctl: /);
    expect(body).not.toContain("canary");
  });

  it.each([
    { reason: "stranger", want: 403 },
    { reason: "lease-ended", want: 403 },
    { reason: "unavailable", want: 503 },
  ] as { reason: RefusalReason; want: number }[])("refuses for $reason by $want", ({ reason, want }) => {
    const refused = serveMetadata(SETTINGS, { now: () => NOW }).refuse(question(), { reason, message: "why" });
    expect(refused).toMatchObject({ status: want, headers: FLAVOR, body: "agentctl: why" });
  });

  it("is found by each library, and the switches against the machine's own are on again", () => {
    expect(serveMetadata(SETTINGS, { now: () => NOW }).variables("127.0.0.1:8080")).toEqual({
      GCE_METADATA_HOST: "127.0.0.1:8080",
      GCE_METADATA_IP: "127.0.0.1:8080",
      GCE_METADATA_ROOT: "127.0.0.1:8080",
      NO_GCE_CHECK: "false",
      METADATA_SERVER_DETECTION: "assume-present",
      CLOUDSDK_CORE_CHECK_GCE_METADATA: "true",
    });
  });
});

describe("google-auth-library", () => {
  const SCRIPT = `
    import { GoogleAuth } from "google-auth-library";
    const auth = new GoogleAuth({ scopes: ["${CLOUD_PLATFORM}"] });
    const client = await auth.getClient();
    const { client_email: email } = await auth.getCredentials();
    console.log(JSON.stringify({
      kind: client.constructor.name, email, token: await auth.getAccessToken(), project: await auth.getProjectId(),
    }));`;

  it("takes it for Compute Engine's, where it has no credentials file", async () => {
    const held = grantUntil(Date.now() + 3_600_000);
    const endpoint = serveGcp(SETTINGS, { now: Date.now });
    const { metadataHost } = await serveOverHttp(endpoint, () => held);
    expect(await runNode(SCRIPT, { ...endpoint.metadata?.variables(metadataHost) })).toEqual({
      kind: "Compute",
      email: ACCOUNT,
      token: IMPERSONATED,
      project: "my-project",
    });
  });
});

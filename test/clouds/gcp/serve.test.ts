import { GoogleAuth } from "google-auth-library";
import { describe, expect, it } from "vitest";
import { subjectTokenOf } from "../../../src/clouds/gcp/credentials-file.js";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { serveGcp } from "../../../src/clouds/gcp/serve.js";
import type { EndpointQuestion, EndpointRefusal, RefusalReason } from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";
import { ask, PLACE, question, revealed, SECRET, serveOverHttp } from "../exchange/serving.js";
import { CLOUD_PLATFORM, gcpSettings, IMPERSONATED, PROVIDER, STORAGE_READ } from "./fake-google.js";
import { grantUntil } from "./serving.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const AUTH = "https://www.googleapis.com/auth";
const EXCHANGE = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  subject_token: subjectTokenOf(PLACE),
};
const subject = { path: "/subject", headers: { "x-agentctl-secret": SECRET } };

function serving(scopes: readonly string[] = [CLOUD_PLATFORM]) {
  const endpoint = serveGcp(gcpSettings({ scopes }), { now: () => NOW });
  const answerTo = (asked: Partial<EndpointQuestion>, held: Grant | EndpointRefusal = grantUntil(NOW + 599_900)) =>
    ask(endpoint, question(asked), held, PLACE);
  return { endpoint, answerTo };
}

function exchange(form: Readonly<Record<string, string>> = {}): Partial<EndpointQuestion> {
  return { method: "POST", path: "/token", body: String(new URLSearchParams({ ...EXCHANGE, ...form })) };
}

describe("what leads Google's tools to the endpoint", () => {
  it("is a credentials file for the libraries, and the token itself for gcloud", () => {
    const { endpoint } = serving();
    expect(endpoint.variables(PLACE)).toEqual({
      GOOGLE_APPLICATION_CREDENTIALS: "/private/l-1/google-credentials.json",
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "/private/l-1/google-access-token",
    });
    const files = endpoint.files(PLACE, grantUntil(NOW));
    expect(Object.keys(files)).toEqual(["google-credentials.json", "google-access-token"]);
    expect(revealed(files["google-access-token"] ?? "")).toBe(IMPERSONATED);
    expect(JSON.parse(revealed(files["google-credentials.json"] ?? ""))).toEqual({
      type: "external_account",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${PLACE.url}/token`,
      credential_source: {
        url: `${PLACE.url}/subject`,
        headers: { "x-agentctl-secret": SECRET },
        format: { type: "text" },
      },
    });
  });

  it("is a metadata server besides, only where the profile says so", async () => {
    const serve = (metadata: boolean) => gcpCloud.serve(gcpSettings({ metadata }), { now: Date.now });
    expect((await serve(false)).metadata).toBeUndefined();
    expect((await serve(true)).metadata).toBeDefined();
  });
});

describe("the token exchange", () => {
  it("gives a subject token of the lease for the secret, and the grant's token for that", () => {
    const { answerTo } = serving([STORAGE_READ, CLOUD_PLATFORM]);
    const nonce = answerTo(subject);
    expect(nonce).toMatchObject({ status: 200, body: EXCHANGE.subject_token });
    expect(nonce.body).not.toContain(SECRET);
    const { status, headers, body } = answerTo(exchange());
    expect({ status, headers }).toEqual({ status: 200, headers: { "content-type": "application/json" } });
    expect(JSON.parse(body)).toEqual({
      access_token: IMPERSONATED,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 599,
      scope: `${STORAGE_READ} ${CLOUD_PLATFORM}`,
    });
  });

  it("never says that a token has no end", () => {
    expect(JSON.parse(serving().answerTo(exchange(), grantUntil(NOW)).body)).toMatchObject({ expires_in: 1 });
  });

  it("has a subject token of its own for each lease", () => {
    const other = { ...PLACE, secret: new Secret("another") };
    expect(subjectTokenOf(other)).not.toBe(EXCHANGE.subject_token);
  });

  it.each([
    { name: "no secret", asked: { ...subject, headers: {} }, want: { status: 401 } },
    { name: "another secret", asked: { ...subject, headers: { "x-agentctl-secret": "x" } }, want: { status: 401 } },
    { name: "a subject token asked for by POST", asked: { ...subject, method: "POST" }, want: { status: 400 } },
    { name: "another path", asked: { ...subject, path: "/v1/token" }, want: { status: 404 } },
    {
      name: "no subject token",
      asked: exchange({ subject_token: "" }),
      want: { status: 401, error: "invalid_client" },
    },
    {
      name: "the secret for a subject token",
      asked: exchange({ subject_token: SECRET }),
      want: { status: 401, error: "invalid_client" },
    },
    {
      name: "the secret's header for a subject token",
      asked: { ...subject, method: "POST", path: "/token" },
      want: { status: 401, error: "invalid_client" },
    },
    {
      name: "a token by GET",
      asked: { ...exchange(), method: "GET" },
      want: { status: 400, error: "invalid_request" },
    },
    {
      name: "another grant type",
      asked: exchange({ grant_type: "refresh_token" }),
      want: { status: 400, error: "invalid_request" },
    },
  ])("is refused with $name", ({ asked, want }) => {
    const { status, body } = serving().answerTo(asked);
    expect(status).toBe(want.status);
    expect(body).not.toContain("canary");
    if ("error" in want) expect(JSON.parse(body)).toMatchObject({ error: want.error });
  });

  it.each([
    { reason: "stranger", status: 403, error: "access_denied" },
    { reason: "lease-ended", status: 400, error: "invalid_grant" },
    // The libraries try 5xx again, and nothing else.
    { reason: "unavailable", status: 503, error: "temporarily_unavailable" },
  ] as { reason: RefusalReason; status: number; error: string }[])(
    "is refused for $reason in OAuth's words, and with its text where a subject token was asked for",
    ({ reason, status, error }) => {
      const { answerTo } = serving();
      const refused = answerTo(exchange(), { reason, message: "why" });
      expect(refused.status).toBe(status);
      expect(JSON.parse(refused.body)).toEqual({ error, error_description: "agentctl: why" });
      expect(answerTo(subject, { reason, message: "why" })).toMatchObject({ status, body: "agentctl: why" });
    },
  );
});

describe("the scopes asked for", () => {
  it.each([
    { name: "none", held: [STORAGE_READ], asked: "", served: true },
    { name: "the profile's own", held: [STORAGE_READ], asked: STORAGE_READ, served: true },
    { name: "any of Google Cloud's", held: [CLOUD_PLATFORM], asked: `${AUTH}/bigquery`, served: true },
    { name: "what the libraries ask by themselves", held: [STORAGE_READ], asked: CLOUD_PLATFORM, served: true },
    { name: "more of the same product", held: [STORAGE_READ], asked: `${AUTH}/devstorage.full_control`, served: true },
    { name: "one of many", held: [STORAGE_READ], asked: `${AUTH}/iam ${STORAGE_READ}`, served: true },
    { name: "another product's", held: [STORAGE_READ], asked: `${AUTH}/bigquery`, served: false },
    { name: "several others", held: [STORAGE_READ], asked: `${AUTH}/bigquery ${AUTH}/pubsub`, served: false },
    { name: "no scope of Google's", held: [STORAGE_READ], asked: "openid", served: false },
    { name: "one that only begins alike", held: [STORAGE_READ], asked: `${AUTH}/devstorage2`, served: false },
  ])("are served or refused: $name", ({ held, asked, served }) => {
    const { status, body } = serving(held).answerTo(exchange(asked === "" ? {} : { scope: asked }));
    const answer = JSON.parse(body) as Record<string, string>;
    expect(status).toBe(served ? 200 : 400);
    if (served) expect(answer["scope"]).toBe(held.join(" "));
    else expect(answer).toMatchObject({ error: "invalid_scope", error_description: expect.stringContaining(asked) });
  });

  it("are not repeated where they look like a token", () => {
    expect(serving([STORAGE_READ]).answerTo(exchange({ scope: IMPERSONATED })).body).not.toContain("canary");
  });
});

describe("google-auth-library", () => {
  const held = { current: grantUntil(0) as Grant | EndpointRefusal };
  async function open(scopes?: string[]) {
    held.current = grantUntil(Date.now() + 3_600_000);
    const endpoint = serveGcp(gcpSettings({ scopes: [STORAGE_READ] }), { now: Date.now });
    const { variables, asked } = await serveOverHttp(endpoint, () => held.current);
    const keyFilename = variables["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
    return { auth: new GoogleAuth({ keyFilename, ...(scopes && { scopes }) }), asked };
  }

  it("has the token by the credentials file, and asks nobody else", async () => {
    const { auth, asked } = await open();
    expect(await auth.getAccessToken()).toBe(IMPERSONATED);
    expect(await auth.getAccessToken()).toBe(IMPERSONATED);
    expect(asked).toEqual(["GET /subject", "POST /token"]);
  });

  it("shows why a scope is refused, and asks once", async () => {
    const { auth, asked } = await open([`${AUTH}/bigquery`]);
    await expect(auth.getAccessToken()).rejects.toThrow(
      /invalid_scope: agentctl: the profile gives none of the scopes/,
    );
    expect(asked).toEqual(["GET /subject", "POST /token"]);
  });

  it("shows that the lease has ended", async () => {
    const { auth, asked } = await open();
    held.current = { reason: "lease-ended", message: "the lease has ended" };
    await expect(auth.getAccessToken()).rejects.toThrow("agentctl: the lease has ended");
    expect(asked).toEqual(["GET /subject"]);
  });
});

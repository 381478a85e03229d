import { describe, expect, test } from "vitest";
import { type CredentialFormat, readFromLease } from "../../src/credential/index.js";
import { thrownBy } from "../thrown.js";
import { ENDPOINT, insideLease, json, LEASE, NOW } from "./lease-environment.js";

const FILE = { GOOGLE_APPLICATION_CREDENTIALS: "/account.json" };
const source = { url: `${ENDPOINT}/subject`, headers: { "x-secret": "header" }, format: { type: "text" } };
const account = (changes: object = {}) => ({
  "/account.json": JSON.stringify({
    type: "external_account",
    audience: "//iam.googleapis.com/provider",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${ENDPOINT}/token`,
    credential_source: source,
    ...changes,
  }),
});
const ANSWERS = { "/subject": { body: "nonce" }, "/token": json({ access_token: "ya29.x", expires_in: 300 }) };

async function read(format: CredentialFormat, ...inside: Parameters<typeof insideLease>) {
  const { runtime, asked } = insideLease(...inside);
  const credential = await readFromLease({ cloud: "gcp", format }, LEASE, runtime);
  if (credential.kind !== "google-token" && credential.kind !== "google-subject") throw new Error(credential.kind);
  return { kind: credential.kind, token: credential.token.reveal(), expiresAt: credential.expiresAt, asked };
}

describe("Google's credential out of the lease", () => {
  test("is the token of its variable, whose end nobody says", async () => {
    const read1 = await read("token", { CLOUDSDK_AUTH_ACCESS_TOKEN: "ya29.env" });
    expect(read1).toEqual({ kind: "google-token", token: "ya29.env", expiresAt: undefined, asked: [] });
  });

  test("is traded at its endpoint, as Google's libraries do it", async () => {
    const { asked, ...traded } = await read("token", FILE, ANSWERS, account());
    expect(traded).toEqual({ kind: "google-token", token: "ya29.x", expiresAt: NOW + 300_000 });
    expect(asked).toMatchObject([
      { url: `${ENDPOINT}/subject`, headers: { "x-secret": "header" } },
      { url: `${ENDPOINT}/token`, method: "POST" },
    ]);
    expect(Object.fromEntries(new URLSearchParams(asked[1]?.body))).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: "//iam.googleapis.com/provider",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: "nonce",
    });
  });

  test.each([
    { name: "as text", format: { type: "text" }, answer: { body: "nonce\n" } },
    { name: "in JSON", format: { type: "json", subject_token_field_name: "id" }, answer: json({ id: "nonce" }) },
  ])("for an executable is the endpoint's own subject, $name", async ({ format, answer }) => {
    const files = account({ credential_source: { ...source, format } });
    const { asked, ...subject } = await read("executable", FILE, { "/subject": answer }, files);
    expect(subject).toEqual({ kind: "google-subject", token: "nonce", expiresAt: LEASE.endsAt });
    expect(asked).toHaveLength(1);
  });

  test.each([
    { name: "no file", variables: {}, want: "CONFIG_INVALID" },
    {
      name: "a file that is not there",
      variables: { GOOGLE_APPLICATION_CREDENTIALS: "/no.json" },
      want: "CONFIG_INVALID",
    },
    {
      name: "a file of another kind",
      variables: FILE,
      files: account({ type: "service_account" }),
      want: "CONFIG_INVALID",
    },
    {
      name: "a file that leads elsewhere",
      variables: FILE,
      files: account({ token_url: "https://sts.example/token" }),
      want: "CONFIG_INVALID",
    },
    {
      name: "a subject that is elsewhere",
      variables: FILE,
      files: account({ credential_source: { url: "http://127.0.0.1.example/x" } }),
      want: "CONFIG_INVALID",
    },
    { name: "an endpoint that is gone", variables: FILE, files: account(), want: "UNREACHABLE" },
    {
      name: "a refusal in plain text",
      variables: FILE,
      files: account(),
      answers: { "/subject": { status: 403, headers: { "content-type": "text/plain" }, body: "agentctl: not you" } },
      want: "CLOUD_DENIED",
      says: /: not you$/,
    },
    {
      name: "a refusal in OAuth's words",
      variables: FILE,
      files: account(),
      answers: { ...ANSWERS, "/token": json({ error: "invalid_grant", error_description: "it is over" }, 400) },
      want: "CLOUD_DENIED",
      says: /: it is over$/,
    },
    {
      name: "a token without an end",
      variables: FILE,
      files: account(),
      answers: { ...ANSWERS, "/token": json({ access_token: "ya29.x" }) },
      want: "BAD_ANSWER",
    },
  ])("is refused for $name", async ({ variables, files = {}, answers = {}, want, says = /./ }) => {
    const error = await thrownBy(() => read("token", variables, answers, files));
    expect(error).toMatchObject({ code: want, message: expect.stringMatching(says) });
    expect(`${error.message} ${error.hint}`).not.toMatch(/unguessable|nonce/);
  });

  test("is refused to an executable where the lease gives the token itself", async () => {
    const error = await thrownBy(() => read("executable", { CLOUDSDK_AUTH_ACCESS_TOKEN: "ya29.env" }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", hint: expect.stringContaining("--format token") });
  });
});

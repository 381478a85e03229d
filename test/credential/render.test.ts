import { describe, expect, test } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import { type Credential, renderCredential, renderExecutableFailure } from "../../src/credential/index.js";

const NOW = Date.parse("2026-01-02T03:04:05Z");
const expiresAt = NOW + 90_500;
const token = new Secret("TOKEN");
const local = new Date(expiresAt);
const two = (value: number): string => String(value).padStart(2, "0");

const ROWS: readonly { readonly name: string; readonly credential: Credential; readonly want: object }[] = [
  {
    name: "AWS's credential_process",
    credential: {
      kind: "aws-keys",
      accessKeyId: new Secret("A"),
      secretAccessKey: token,
      sessionToken: token,
      expiresAt,
    },
    want: {
      Version: 1,
      AccessKeyId: "A",
      SecretAccessKey: "TOKEN",
      SessionToken: "TOKEN",
      Expiration: "2026-01-02T03:05:35Z",
    },
  },
  {
    name: "an OAuth token",
    credential: { kind: "google-token", token, expiresAt },
    want: { access_token: "TOKEN", token_type: "Bearer", expires_in: 90, expiry: "2026-01-02T03:05:35Z" },
  },
  {
    name: "an OAuth token of unknown end",
    credential: { kind: "google-token", token },
    want: { access_token: "TOKEN", token_type: "Bearer" },
  },
  {
    name: "Google's executables",
    credential: { kind: "google-subject", token, expiresAt },
    want: {
      version: 1,
      success: true,
      token_type: "urn:ietf:params:oauth:token-type:id_token",
      id_token: "TOKEN",
      expiration_time: Math.floor(expiresAt / 1000),
    },
  },
  {
    name: "az account get-access-token, in local time",
    credential: { kind: "azure-token", token, expiresAt, tenantId: "tenant", subscriptionId: "subscription" },
    want: {
      accessToken: "TOKEN",
      expiresOn: `2026-01-${two(local.getDate())} ${two(local.getHours())}:${two(local.getMinutes())}:35.000000`,
      expires_on: Math.floor(expiresAt / 1000),
      subscription: "subscription",
      tenant: "tenant",
      tokenType: "Bearer",
    },
  },
];

describe("a credential on stdout", () => {
  test.each(ROWS)("has the form of $name, on one line", ({ credential, want }) => {
    const text = renderCredential(credential, NOW);
    expect(text).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(text)).toEqual(want);
  });

  test("is a failure in the words of Google's executables", () => {
    const error = new AgentctlError("NO_IDENTITY", "no identity was found", { hint: "run it in a job" });
    expect(JSON.parse(renderExecutableFailure(error))).toEqual({
      version: 1,
      success: false,
      code: "NO_IDENTITY",
      message: "no identity was found; run it in a job",
    });
  });
});

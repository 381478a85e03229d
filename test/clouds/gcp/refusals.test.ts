import { describe, expect, it } from "vitest";
import { federationHint, impersonationHint } from "../../../src/clouds/gcp/refusals.js";
import { idToken } from "../exchange/identity.js";
import { gcpSettings, PROVIDER } from "./fake-google.js";

const AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;

describe("the hint at what to change", () => {
  const refusal = (code: string, text: string, reason?: string) =>
    ({ code, text, kind: "refused", facts: reason === undefined ? {} : { reason } }) as const;

  it.each([
    {
      code: "invalid_target",
      text: 'The target service indicated by the "audience" parameters is invalid.',
      want: /project's number/,
    },
    {
      code: "unauthorized_client",
      text: "The given credential is rejected by the attribute condition.",
      want: /attribute condition/,
    },
    {
      code: "invalid_grant",
      text: "The audience in ID Token [x] does not match the expected audience.",
      want: /allowed audiences/,
    },
    {
      code: "invalid_grant",
      text: "The issuer in ID Token https://x does not match the expected ones.",
      want: /issuer URI of .* must be https:\/\/token\.actions/,
    },
    { code: "invalid_grant", text: "ID Token issued at 1 is stale to sign-in.", want: /clock/ },
    {
      code: "invalid_grant",
      text: "Error connecting to the given credential's issuer.",
      want: /fetch the keys of https:\/\/token\.actions/,
    },
    {
      code: "invalid_grant",
      text: "The mapped attribute google.subject must be at most 127 bytes.",
      want: /attribute mapping/,
    },
    { code: "invalid_scope", text: "no", want: /gcp\.scopes/ },
    { code: "invalid_request", text: "no", want: /attribute mapping and attribute condition/ },
  ])("for $code: $text", ({ code, text, want }) => {
    expect(federationHint(refusal(code, text), gcpSettings(), idToken(AUDIENCE))).toMatch(want);
  });

  it.each([
    {
      code: "PERMISSION_DENIED",
      text: "IAM Service Account Credentials API has not been used in project 1 before",
      want: /enable iamcredentials/,
    },
    { code: "PERMISSION_DENIED", text: "no", reason: "SERVICE_DISABLED", want: /enable iamcredentials/ },
    { code: "NOT_FOUND", text: "Unknown service account", want: /there is no deploy@/ },
    { code: "FAILED_PRECONDITION", text: "The service account is disabled.", want: /^enable deploy@/ },
    { code: "UNAUTHENTICATED", text: "no", want: /one Google/ },
    {
      code: "INVALID_ARGUMENT",
      text: "The lifetime is too long.",
      want: /allowServiceAccountCredentialLifetimeExtension/,
    },
    {
      code: "INVALID_ARGUMENT",
      text: "Request contains an invalid argument.",
      seconds: 7_200,
      want: /lower the ttl .*to 1h/,
    },
    { code: "INVALID_ARGUMENT", text: "Invalid OAuth scope.", want: /gcp\.scopes/ },
  ])("for $code: $text", ({ code, text, reason, seconds, want }) => {
    expect(impersonationHint(refusal(code, text, reason), gcpSettings(), idToken(AUDIENCE), seconds ?? 900)).toMatch(
      want,
    );
  });
});

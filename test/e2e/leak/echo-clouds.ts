import type { CanarySearch } from "./canary-search.js";
import { type Asked, type Echo, type EchoAnswer, stsSession } from "./echo-service.js";

/** The steps on the way to three grants, each of which answers with a token of the test's own. */
export type Step = "assume" | "azure" | "federate" | "impersonate" | "narrow";

/** All three clouds behind one address; `changed` says what some of the steps answer instead. */
export function echoClouds(
  url: string,
  search: CanarySearch,
  changed: Partial<Readonly<Record<Step, Echo>>> = {},
): Echo {
  const steps: Readonly<Record<Step, Echo>> = { ...grantAll(search), ...changed };
  return (asked) =>
    asked.path.endsWith("/openid-configuration") ? discovery(url, asked) : steps[stepOf(asked)](asked);
}

function stepOf({ path, form }: Asked): Step {
  if (path.endsWith("/oauth2/v2.0/token")) return "azure";
  if (path.endsWith(":generateAccessToken")) return "impersonate";
  if (path !== "/v1/token") return "assume";
  return form.get("subject_token_type")?.endsWith(":access_token") ? "narrow" : "federate";
}

function grantAll(search: CanarySearch): Record<Step, Echo> {
  const lasting = { token_type: "Bearer", expires_in: 3599 };
  return {
    assume: ({ operation }) =>
      stsSession(operation, {
        secretAccessKey: search.plant("AWS's secret key"),
        sessionToken: search.plant("AWS's session token"),
      }),
    azure: () => json(200, { ...lasting, access_token: search.plant("Azure's token") }),
    federate: () => json(200, { ...lasting, access_token: search.plant("Google's federated token") }),
    impersonate: () =>
      json(200, {
        accessToken: search.plant("the service account's token"),
        expireTime: new Date(Date.now() + 600_000).toISOString(),
      }),
    narrow: () => json(200, { ...lasting, access_token: search.plant("the narrowed token") }),
  };
}

function discovery(url: string, { path }: Asked): EchoAnswer {
  const base = `${url}/${path.split("/")[1]}`;
  return json(200, {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
  });
}

export function json(status: number, value: unknown): EchoAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

/** An OAuth error, as Microsoft Entra and Google's STS write it. */
export function oauthError(status: number, error: string, text: string): EchoAnswer {
  return json(status, { error, error_description: text, error_codes: [50027], trace_id: text, correlation_id: text });
}

/** An error as Google's APIs write it. */
export function googleError(status: number, code: string, text: string): EchoAnswer {
  const details = [{ reason: text, metadata: { permission: text } }];
  return json(status, { error: { code: status, status: code, message: text, details } });
}

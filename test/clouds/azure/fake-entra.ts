import { afterEach } from "vitest";
import { issueAzureGrant } from "../../../src/clouds/azure/issue.js";
import { fetchOverHttp } from "../../../src/core/http.js";
import type { IssueContext } from "../../../src/core/lease.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import type { Runtime } from "../../../src/core/runtime.js";
import { fakeRuntime } from "../../fake-runtime.js";
import {
  type Asked,
  answersJson,
  type FakeService,
  inTurn,
  type Reply,
  startFakeService,
} from "../exchange/fake-service.js";
import { grantTerms, idToken } from "../exchange/identity.js";

export const TENANT = "11111111-2222-3333-4444-555555555555";
export const CLIENT = "66666666-7777-8888-9999-000000000000";
export const ARM_SCOPE = "https://management.azure.com/.default";
export const VAULT_SCOPE = "https://vault.azure.net/.default";
export const AUDIENCE = "api://AzureADTokenExchange";
/** Where the runs below believe that Microsoft Entra is; their transport leads it to a fake without TLS. */
export const AUTHORITY = "https://entra.example";

export function azureSettings(overrides: Partial<AzureSettings> = {}): AzureSettings {
  return {
    tenantId: TENANT,
    clientId: CLIENT,
    otherClientIds: [],
    assignments: [],
    allowUnbounded: false,
    scopes: [ARM_SCOPE],
    audiences: [AUDIENCE],
    ...overrides,
  };
}

/** The discovery document of a tenant, as Microsoft Entra answers it. */
export function discovery(origin: string, overrides: Record<string, string> = {}): Reply {
  const base = `${origin}/${TENANT}`;
  return answersJson(200, {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    ...overrides,
  });
}

/** A token for whatever was asked. */
export function grants(expiresInSeconds = 3_599, token = "access-canary"): Reply {
  return ({ form }, response) =>
    answersJson(200, {
      token_type: "Bearer",
      expires_in: expiresInSeconds,
      ext_expires_in: expiresInSeconds,
      access_token: `${token}-${form.get("scope")?.replace(/\W/g, "")}`,
    })({} as Asked, response);
}

export function refuses(status: number, code: number, text: string, error = "invalid_client"): Reply {
  return answersJson(status, {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: 255d1aef-8c98-452f-ac51-23d051240864 Correlation ID: fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7 Timestamp: 2026-11-22 02:02:12Z`,
    error_codes: [code],
    timestamp: "2026-11-22 02:02:12Z",
    trace_id: "255d1aef-8c98-452f-ac51-23d051240864",
    correlation_id: "fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7",
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}

const started: FakeService[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.close()));
});

export interface Issuing {
  readonly settings?: Partial<AzureSettings>;
  readonly ttlSeconds?: number;
  readonly runtime?: Partial<Runtime>;
  readonly env?: Readonly<Record<string, string>>;
  readonly attempts?: number;
  readonly requestMs?: number;
  readonly signal?: AbortSignal;
  readonly mintToken?: IssueContext["mintToken"];
  /** Instead of the discovery document. */
  readonly discovery?: Reply;
}

/** Starts a fake Microsoft Entra whose token endpoint gives these replies, closed after the test, and what asks it. */
export async function against(replies: readonly Reply[], issuing: Issuing = {}) {
  const authority = issuing.env?.["AZURE_AUTHORITY_HOST"] ?? AUTHORITY;
  const next = inTurn(replies);
  const entra = await startFakeService(({ method, path }) =>
    method === "GET" && path.endsWith("/openid-configuration") ? (issuing.discovery ?? discovery(authority)) : next(),
  );
  started.push(entra);
  const pauses: number[] = [];
  const runtime = fakeRuntime({
    env: { AZURE_AUTHORITY_HOST: AUTHORITY, ...issuing.env },
    sleep: async (ms) => void pauses.push(ms),
    fetch: (request) => fetchOverHttp({ ...request, url: request.url.replace(/^https:\/\/[^/]+/, entra.url) }),
    ...issuing.runtime,
  });
  const mintToken = issuing.mintToken ?? (async ([audience = ""]: readonly string[]) => idToken(audience));
  const issue = () =>
    issueAzureGrant(
      azureSettings(issuing.settings),
      grantTerms(issuing.ttlSeconds ?? 1_800, runtime.now()),
      { mintToken, signal: issuing.signal ?? new AbortController().signal },
      runtime,
      { attempts: issuing.attempts ?? 4, requestMs: issuing.requestMs ?? 5_000 },
    );
  const tokensAsked = () => entra.asked.filter(({ method }) => method === "POST");
  return { entra, tokensAsked, pauses, runtime, issue };
}

import { afterEach } from "vitest";
import { issueGcpGrant } from "../../../src/clouds/gcp/issue.js";
import { fetchOverHttp } from "../../../src/core/http.js";
import type { IssueContext } from "../../../src/core/lease.js";
import type { Channel, GcpSettings } from "../../../src/core/profile.js";
import type { Runtime } from "../../../src/core/runtime.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { answersJson, type FakeService, inTurn, type Reply, startFakeService } from "../exchange/fake-service.js";
import { grantTerms, idToken } from "../exchange/identity.js";

export const POOL = "projects/123456789/locations/global/workloadIdentityPools/ci";
export const PROVIDER = `${POOL}/providers/github`;
export const ACCOUNT = "deploy@my-project.iam.gserviceaccount.com";
export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
export const STORAGE_READ = "https://www.googleapis.com/auth/devstorage.read_only";
export const BUCKET_RULE = {
  availableResource: "//storage.googleapis.com/projects/_/buckets/site",
  availablePermissions: ["inRole:roles/storage.objectViewer"],
  availabilityCondition: { expression: "resource.name.startsWith('projects/_/buckets/site/objects/a')" },
} as const;

export const FEDERATED = "ya29.d.federated-canary";
export const IMPERSONATED = "ya29.c.impersonated-canary";
export const NARROWED = "ya29.dr.narrowed-canary";

export function gcpSettings(overrides: Partial<GcpSettings> = {}): GcpSettings {
  return {
    workloadIdentityProvider: PROVIDER,
    serviceAccount: ACCOUNT,
    scopes: [CLOUD_PLATFORM],
    accessBoundary: [],
    bindings: [],
    metadata: false,
    ...overrides,
  };
}

/** The settings of a run that takes the federated token itself. */
export function federatedSettings(overrides: Partial<GcpSettings> = {}): GcpSettings {
  const { serviceAccount: _left, ...settings } = gcpSettings(overrides);
  return settings;
}

export function federates(overrides: Readonly<Record<string, unknown>> = {}): Reply {
  return answersJson(200, {
    access_token: FEDERATED,
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3_599,
    ...overrides,
  });
}

/** A token with the lifetime that was asked for, by a clock that is `aheadMs` ahead. */
export function impersonates(aheadMs = 0, overrides: Readonly<Record<string, unknown>> = {}): Reply {
  return (asked, response) => {
    const { lifetime } = JSON.parse(asked.body) as { lifetime: string };
    const now = Math.floor(Date.now() / 1000) * 1000 + aheadMs;
    const expireTime = new Date(now + Number.parseInt(lifetime, 10) * 1000).toISOString();
    const headers = { date: new Date(now).toUTCString() };
    answersJson(200, { accessToken: IMPERSONATED, expireTime, ...overrides }, headers)(asked, response);
  };
}

export function refusesLikeOAuth(status: number, error: string, description: string): Reply {
  return answersJson(status, { error, error_description: description });
}

export function refusesLikeAnApi(status: number, code: string, message: string, details?: readonly unknown[]): Reply {
  return answersJson(status, { error: { code: status, message, status: code, ...(details && { details }) } });
}

const started: FakeService[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.close()));
});

export interface Issuing {
  readonly settings?: GcpSettings;
  readonly ttlSeconds?: number;
  readonly channel?: Channel;
  readonly runtime?: Partial<Runtime>;
  readonly attempts?: number;
  readonly requestMs?: number;
  readonly signal?: AbortSignal;
  readonly mintToken?: IssueContext["mintToken"];
  /** The replies of each service; those not given never refuse. */
  readonly sts?: readonly Reply[];
  readonly iam?: readonly Reply[];
  readonly boundary?: readonly Reply[];
}

/** Starts a fake of Google's STS and IAM Credentials, closed after the test, and what asks them. */
export async function against(issuing: Issuing = {}) {
  const sts = inTurn(issuing.sts ?? [federates()]);
  const iam = inTurn(issuing.iam ?? [impersonates()]);
  const boundary = inTurn(issuing.boundary ?? [federates({ access_token: NARROWED, expires_in: undefined })]);
  const google = await startFakeService(({ path, form }) => {
    if (path.endsWith(":generateAccessToken")) return iam();
    if (path === "/v1/token") return form.has("options") ? boundary() : sts();
    return undefined;
  });
  started.push(google);
  const pauses: number[] = [];
  const runtime = fakeRuntime({
    env: {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${google.url}/`,
    },
    sleep: async (ms) => void pauses.push(ms),
    fetch: fetchOverHttp,
    ...issuing.runtime,
  });
  const issue = () =>
    issueGcpGrant(
      issuing.settings ?? gcpSettings(),
      grantTerms(issuing.ttlSeconds ?? 900, runtime.now(), issuing.channel),
      {
        mintToken: issuing.mintToken ?? (async ([audience = ""]: readonly string[]) => idToken(audience)),
        signal: issuing.signal ?? new AbortController().signal,
      },
      runtime,
      { attempts: issuing.attempts ?? 4, requestMs: issuing.requestMs ?? 5_000 },
    );
  return { google, pauses, runtime, issue };
}

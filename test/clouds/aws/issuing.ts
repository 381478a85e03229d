import { afterEach } from "vitest";
import { issueAwsGrant } from "../../../src/clouds/aws/issue.js";
import type { ExchangeLimits } from "../../../src/clouds/aws/limits.js";
import type { AgentctlError } from "../../../src/core/errors.js";
import type { IdToken } from "../../../src/core/identity.js";
import type { Grant } from "../../../src/core/lease.js";
import type { AwsSettings, Channel } from "../../../src/core/profile.js";
import type { Runtime } from "../../../src/core/runtime.js";
import { Secret } from "../../../src/core/secret.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { type FakeSts, type Reply, startFakeSts } from "./fake-sts.js";
import { awsSettings, grantTerms } from "./settings.js";

// The SDK announces the end of its support for Node 20 once a process; src/main.ts silences it likewise.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJ0b2tlbiJ9.c2lnbmF0dXJlLWNhbmFyeQ";

const LIMITS: ExchangeLimits = { attempts: 4, connectMs: 2_000, exchangeMs: 5_000 };
const started: FakeSts[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((sts) => sts.close()));
});

export interface Issuing {
  readonly settings?: Partial<AwsSettings>;
  readonly ttlSeconds?: number;
  readonly channel?: Channel;
  readonly runtime?: Partial<Runtime>;
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Partial<ExchangeLimits>;
  readonly signal?: AbortSignal;
  readonly mintToken?: () => Promise<IdToken>;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly host?: string;
}

/** Starts a fake STS with these replies, closed after the test, and what asks it. */
export async function against(replies: readonly Reply[], issuing: Issuing = {}) {
  const sts = await startFakeSts(replies, issuing.tls, issuing.host);
  started.push(sts);
  const pauses: number[] = [];
  const runtime = fakeRuntime({
    env: { AWS_ENDPOINT_URL_STS: sts.url, ...issuing.env },
    sleep: async (ms) => void pauses.push(ms),
    ...issuing.runtime,
  });
  const mintToken = issuing.mintToken ?? (async () => idToken());
  const issue = (): Promise<Grant> =>
    issueAwsGrant(
      awsSettings(issuing.settings),
      grantTerms(issuing.ttlSeconds, runtime.now(), issuing.channel),
      { mintToken, signal: issuing.signal ?? new AbortController().signal },
      runtime,
      { ...LIMITS, ...issuing.limits },
    );
  return { sts, pauses, runtime, issue };
}

export function idToken(text = TOKEN, overrides: Partial<IdToken> = {}): IdToken {
  return {
    token: new Secret(text),
    issuer: "https://token.actions.githubusercontent.com",
    subject: "repo:acme/site:ref:refs/heads/main",
    audience: ["sts.amazonaws.com"],
    expiresAt: Number.MAX_SAFE_INTEGER,
    claims: {},
    sha256: "0".repeat(64),
    ...overrides,
  };
}

/** What a promise rejected with; fails when it did not. */
export async function failureOf(promise: Promise<unknown>): Promise<AgentctlError> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome?.status !== "rejected") throw new Error("it was expected to fail");
  return outcome.reason as AgentctlError;
}

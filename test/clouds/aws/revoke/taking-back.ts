import { afterEach } from "vitest";
import { awsCloud } from "../../../../src/clouds/aws/index.js";
import type { ExchangeLimits } from "../../../../src/clouds/aws/limits.js";
import { type TakeBackLimits, takeBack } from "../../../../src/clouds/aws/revoke/take-back.js";
import { readUndoing, type Target } from "../../../../src/clouds/aws/revoke/undo.js";
import type { EndContext, Ending, EndOrder, Grant } from "../../../../src/core/lease.js";
import type { AwsSettings, RevokeMode } from "../../../../src/core/profile.js";
import { Secret } from "../../../../src/core/secret.js";
import { type FakeRuntime, fakeRuntime } from "../../../fake-runtime.js";
import { endContext, withLimit } from "../../end-order.js";
import { idToken } from "../issuing.js";
import { awsSettings, grantTerms, LEASE_ID, ROLE } from "../settings.js";
import { type FakeAws, type FakeWorld, startFakeAws } from "./fake-aws.js";

export const REVOKER = "arn:aws:iam::111122223333:role/agentctl-revoker";
export const BOUNDARY = "arn:aws:iam::111122223333:policy/boundary";
export const NOW = Date.parse("2026-11-22T12:00:00Z");
export const FENCE = NOW + 300_000;
export const SESSION = `agentctl-${LEASE_ID}`;
export const EXCHANGE: ExchangeLimits = { attempts: 4, connectMs: 2_000, exchangeMs: 5_000 };
const CANARIES = {
  accessKeyId: "ASIALEASECANARY",
  secretAccessKey: "lease-secret-canary",
  sessionToken: "lease-canary",
};

const started: FakeAws[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((aws) => aws.close()));
});

export interface Scene {
  readonly world?: Partial<FakeWorld>;
  readonly settings?: Partial<AwsSettings>;
  readonly revoke?: RevokeMode;
  readonly order?: Partial<EndOrder>;
  /** Without the lease's keys, as a watchdog or a sweep ends it. */
  readonly isWithoutKeys?: boolean;
  readonly context?: Partial<EndContext>;
  readonly limits?: Partial<TakeBackLimits>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A fake AWS, the clock that moves only by sleeping, and the order to end a lease's session there. */
export async function scene({
  world,
  settings,
  revoke = "auto",
  order,
  isWithoutKeys = false,
  context,
  limits,
  env,
}: Scene = {}) {
  let clock = NOW;
  const now = () => clock;
  const aws = await startFakeAws({ now, boundary: BOUNDARY, ...world });
  started.push(aws);
  const progress: string[] = [];
  const runtime: FakeRuntime = fakeRuntime({
    env: { AWS_ENDPOINT_URL: aws.url, ...env },
    now,
    sleep: async (ms) => {
      clock += ms;
    },
  });
  const plan = awsCloud.plan(
    awsSettings({ revoker: { roleArn: REVOKER }, region: "eu-central-1", ...settings }),
    { ...grantTerms(300, NOW), revoke },
    runtime,
  );
  const whole: EndOrder = {
    leaseId: LEASE_ID,
    cloud: "aws",
    channel: "env",
    principal: ROLE,
    undo: plan.undo,
    isIssued: true,
    usableUntil: FENCE,
    expiresAt: NOW + 900_000,
    ...(!isWithoutKeys && { grant: grantOf() }),
    ...order,
  };
  const asking = endContext({
    mintToken: async () => idToken(),
    onProgress: (text, wait) => void progress.push(withLimit(text, wait)),
    ...context,
  });
  const end = (): Promise<Ending> => awsCloud.end(whole, asking, runtime);
  const back = (): Promise<Ending> => {
    const all = { exchange: EXCHANGE, putMs: 20_000, watchMs: 30_000, ...limits };
    return takeBack(whole, targetOf(whole), asking, runtime, all);
  };
  return { aws, runtime, order: whole, progress, plan, end, back, elapsedMs: () => clock - NOW };
}

export function targetOf(order: EndOrder): Target {
  const undoing = readUndoing(order);
  if (undoing.kind !== "take-back") throw new Error(`the order is ${undoing.kind}`);
  return undoing.target;
}

function grantOf(): Grant {
  const secrets = Object.entries(CANARIES).map(([name, text]) => [
    name,
    { value: new Secret(text), usableUntil: FENCE },
  ]);
  return {
    cloud: "aws",
    channel: "env",
    principal: ROLE,
    issuedAt: NOW,
    usableUntil: FENCE,
    expiresAt: NOW + 900_000,
    variables: {},
    secrets: Object.fromEntries(secrets),
    facts: { fencedAt: "2026-11-22T12:05:00Z" },
  };
}

/** The texts of an ending's steps. */
export function stepsOf(ending: Ending): string[] {
  return (ending.steps ?? []).map(({ text }) => text);
}

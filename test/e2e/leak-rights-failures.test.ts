import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ErrorCode } from "../../src/core/errors.js";
import { eventually } from "./agentctl.js";
import { googleError, json, oauthError } from "./leak/echo-clouds.js";
import type { EchoAnswer } from "./leak/echo-service.js";
import {
  AZURE_GRANTER,
  AZURE_JIT,
  GOOGLE_GRANTER,
  openRightsLeakStage,
  type RightsLeakStage,
} from "./leak/rights-stage.js";
import type { Passing } from "./leak/tapped-clouds.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

/** What fails mostly waits, so that several do it side by side, each on a stage of its own. */
const STAGES = 4;
const stages: RightsLeakStage[] = [];
const free: RightsLeakStage[] = [];
beforeAll(async () => {
  stages.push(...(await Promise.all(Array.from({ length: STAGES }, openRightsLeakStage))));
  free.push(...stages);
});
afterAll(() => Promise.all(stages.map((stage) => stage.close())));

async function onStage(use: (rights: RightsLeakStage) => Promise<void>): Promise<void> {
  const rights = await eventually(() => free.pop());
  try {
    await use(rights);
  } finally {
    rights.leak.stage.sandbox.gcp.setPropagation(0, "gcs");
    rights.forget();
    free.push(rights);
  }
}

type Repeat = (asked: Passing) => EchoAnswer;

/** All that was sent in confidence, as a service repeats it that shows what it was asked. */
function everything({ secret, headers, body }: Passing): string {
  return `${secret} ${JSON.stringify(headers)} ${body}`;
}

const refusedByAzure: Repeat = (asked) =>
  json(403, {
    error: {
      code: "AuthorizationFailed",
      message: everything(asked),
      details: [{ code: asked.secret, message: asked.secret }],
    },
  });
const refusedByGoogle: Repeat = (asked) => googleError(403, "PERMISSION_DENIED", everything(asked));
const redirected: Repeat = ({ secret, body }) => ({
  status: 307,
  headers: { location: `https://127.0.0.1:1/?${encodeURIComponent(secret)}` },
  body: `${secret} ${body}`,
});
const page: Repeat = (asked) => ({
  status: 200,
  headers: { "content-type": "text/html" },
  body: `<html>${everything(asked)}`,
});
const inCode =
  (repeat: (secret: string) => EchoAnswer): Repeat =>
  ({ secret }) =>
    repeat(secret.replace(/^Bearer /, ""));

interface Failure {
  readonly name: string;
  readonly profile: string;
  readonly at: (asked: Passing) => boolean;
  readonly repeat: Repeat;
  readonly want: ErrorCode;
}

const to = (method: string, part: string) => (asked: Passing) => asked.method === method && asked.path.includes(part);
const signIn =
  (clientId: string) =>
  ({ form }: Passing) =>
    form.get("client_id") === clientId;
const become = (account: string) => to("POST", `${account}:generateAccessToken`);
const askPim = to("PUT", "/roleAssignmentScheduleRequests/");
const writePolicy = to("PUT", "/b/other/iam");

const OF_AZURE: readonly Omit<Failure, "profile">[] = [
  {
    name: "Microsoft Entra, of the granter",
    at: signIn(AZURE_GRANTER),
    repeat: (asked) => oauthError(400, "invalid_request", everything(asked)),
    want: "CLOUD_DENIED",
  },
  {
    name: "Microsoft Entra, of the lease's own application",
    at: signIn(AZURE_JIT),
    repeat: (asked) => oauthError(401, "unauthorized_client", everything(asked)),
    want: "CLOUD_DENIED",
  },
  { name: "the role definitions", at: to("GET", "/roleDefinitions"), repeat: refusedByAzure, want: "CLOUD_DENIED" },
  { name: "the request for an assignment", at: askPim, repeat: refusedByAzure, want: "CLOUD_DENIED" },
  {
    name: "the request for an assignment, in its code",
    at: askPim,
    repeat: inCode((secret) => json(400, { error: { code: secret, message: "no" } })),
    want: "CLOUD_DENIED",
  },
  { name: "the request for an assignment, in a redirection", at: askPim, repeat: redirected, want: "BAD_ANSWER" },
  { name: "the request for an assignment, in a page", at: askPim, repeat: page, want: "BAD_ANSWER" },
  {
    name: "the request for an assignment, in a failure",
    at: askPim,
    repeat: (asked) => json(500, { error: { code: asked.secret, message: everything(asked) } }),
    want: "SERVICE_FAILED",
  },
];

const OF_GOOGLE: readonly Omit<Failure, "profile">[] = [
  {
    name: "the federation",
    at: to("POST", "/v1/token"),
    repeat: (asked) => oauthError(400, "invalid_request", everything(asked)),
    want: "CLOUD_DENIED",
  },
  { name: "the granter's token", at: become(GOOGLE_GRANTER), repeat: refusedByGoogle, want: "CLOUD_DENIED" },
  { name: "the granter's token, in a redirection", at: become(GOOGLE_GRANTER), repeat: redirected, want: "BAD_ANSWER" },
  { name: "reading the policy", at: to("GET", "/b/other/iam"), repeat: refusedByGoogle, want: "CLOUD_DENIED" },
  {
    name: "reading the policy, in a redirection",
    at: to("GET", "/b/other/iam"),
    repeat: redirected,
    want: "BAD_ANSWER",
  },
  { name: "writing the policy", at: writePolicy, repeat: refusedByGoogle, want: "CLOUD_DENIED" },
  {
    name: "writing the policy, in its code",
    at: writePolicy,
    repeat: inCode((secret) => googleError(400, secret, secret)),
    want: "CLOUD_DENIED",
  },
  {
    name: "writing the policy, as too much",
    at: writePolicy,
    repeat: (asked) => googleError(400, "INVALID_ARGUMENT", `exceeds the maximum: ${everything(asked)}`),
    want: "BINDING_LIMIT",
  },
  { name: "writing the policy, in a page", at: writePolicy, repeat: page, want: "BAD_ANSWER" },
  { name: "reading the policy, in a page", at: to("GET", "/b/other/iam"), repeat: page, want: "BAD_ANSWER" },
];

const OF_PAM: readonly Omit<Failure, "profile">[] = [
  { name: "the request of a grant", at: to("POST", "/grants"), repeat: refusedByGoogle, want: "CLOUD_DENIED" },
  {
    name: "the request of a grant, in a redirection",
    at: to("POST", "/grants"),
    repeat: redirected,
    want: "BAD_ANSWER",
  },
];

const FAILURES: readonly Failure[] = [
  ...OF_AZURE.map((one) => ({ profile: "azure", ...one })),
  ...OF_GOOGLE.map((one) => ({ profile: "gcp", ...one })),
  ...OF_PAM.map((one) => ({ profile: "entitled", ...one })),
];

describe.concurrent("a token by which rights are given, which the service repeats", () => {
  test.for(FAILURES)("$profile: $name", ({ profile, at, repeat, want }) =>
    onStage(async ({ leak, clouds, env }) => {
      clouds.intercept((asked) => (at(asked) ? repeat(asked) : undefined));
      expect(await leak.leaksOfFailure(want, { args: ["-p", profile], env })).toEqual([]);
    }),
  );
});

describe.concurrent("what was given, and does not work", () => {
  test("leaves nothing of a token when its time is over", () =>
    onStage(async ({ leak, env }) => {
      leak.stage.sandbox.gcp.setPropagation(600_000, "gcs");
      expect(await leak.leaksOfFailure("NOT_READY", { args: ["-p", "impatient"], env })).toEqual([]);
    }));

  test("leaves nothing of the token either that it is tried with, which the service repeats", () =>
    onStage(async ({ leak, clouds, env }) => {
      const isTried = to("GET", "/b/other/iam/testPermissions");
      clouds.intercept((asked) => (isTried(asked) ? refusedByGoogle(asked) : undefined));
      expect(await leak.leaksOfFailure("NOT_READY", { args: ["-p", "impatient"], env })).toEqual([]);
    }));
});

const ENDS: readonly Omit<Failure, "want">[] = [
  { name: "the request to take an assignment back", profile: "azure", at: askPim, repeat: refusedByAzure },
  { name: "writing the policy", profile: "gcp", at: writePolicy, repeat: refusedByGoogle },
  { name: "writing the policy, in a redirection", profile: "gcp", at: writePolicy, repeat: redirected },
  { name: "the granter's token", profile: "gcp", at: become(GOOGLE_GRANTER), repeat: refusedByGoogle },
  {
    name: "the revocation of a grant",
    profile: "entitled",
    at: (asked) => /:(revoke|withdraw)$/.test(asked.path),
    repeat: refusedByGoogle,
  },
];

describe.concurrent("what cannot be taken back, since the service refuses it with what it was sent", () => {
  test.for(ENDS)("$profile: $name is on record, and in the ledger, without that", ({ profile, at, repeat }) =>
    onStage(async ({ leak, clouds, env }) => {
      const started = path.join(leak.outside, "started");
      fs.rmSync(started, { force: true });
      clouds.intercept((asked) => (fs.existsSync(started) && at(asked) ? repeat(asked) : undefined));
      const receipt = path.join(leak.stage.dir, "receipt.json");
      const command = ["run", "-p", profile, "--receipt", receipt, "--", "touch", started];
      const outcome = await leak.stage.run(command, { env });
      expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
      const { endings } = JSON.parse(fs.readFileSync(receipt, "utf8"));
      expect(endings).toMatchObject([{ word: "failed", isUnfinished: true }]);
      expect(leak.findLeaks(outcome)).toEqual([]);
      const swept = await leak.stage.run(["lease", "sweep"], { env });
      expect(swept, swept.stderr).toMatchObject({ code: 79 });
      expect(leak.findLeaks(swept)).toEqual([]);
    }),
  );
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/core/errors.js";
import { DEMO_PROFILE } from "./agentctl.js";
import {
  type Asked,
  type Echo,
  type EchoedSession,
  type EchoService,
  startEchoService,
  stsError,
  stsSession,
} from "./leak/echo-service.js";
import { type LeakStage, openLeakStage } from "./leak/leak-stage.js";

const PROFILES = `${DEMO_PROFILE}
  chained: { extends: demo, aws: { chain: [{ role_arn: "arn:aws:iam::111122223333:role/agentctl-chained" }] } }
`;

let leak: LeakStage;
let echo: EchoService;
beforeAll(async () => {
  [leak, echo] = await Promise.all([openLeakStage(), startEchoService()]);
  leak.stage.writeConfig(PROFILES);
});
afterEach(() => leak.forget());
afterAll(() => Promise.all([leak.close(), echo.close()]));

describe("STS that repeats what it was sent", () => {
  const answers: readonly { name: string; echo: Echo; want: ErrorCode }[] = [
    {
      name: "in a page with status 200",
      echo: ({ body }) => ({ status: 200, body: `<html>${body}` }),
      want: "BAD_ANSWER",
    },
    {
      name: "in a validation error",
      echo: ({ secret }) => stsError(400, "ValidationError", `Value '${secret}' failed`),
      want: "CONFIG_INVALID",
    },
    { name: "in a refusal", echo: ({ secret }) => stsError(403, "AccessDenied", `no ${secret}`), want: "CLOUD_DENIED" },
    { name: "in an error code", echo: ({ secret }) => stsError(400, secret, "no"), want: "CLOUD_DENIED" },
    {
      name: "cut short",
      echo: ({ secret }) => stsError(400, "InvalidIdentityToken", secret.slice(0, 250)),
      want: "CLOUD_DENIED",
    },
    {
      name: "without its beginning",
      echo: ({ secret }) => stsError(400, "InvalidIdentityToken", secret.slice(-120)),
      want: "CLOUD_DENIED",
    },
    {
      name: "as the whole request",
      echo: ({ body }) => stsError(400, "InvalidAction", body.replaceAll("&", "&amp;")),
      want: "CLOUD_DENIED",
    },
    {
      name: "in JSON",
      echo: ({ secret }) => ({
        status: 403,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ message: secret }),
      }),
      want: "BAD_ANSWER",
    },
    { name: "in a failure", echo: ({ secret }) => stsError(500, "InternalFailure", secret), want: "SERVICE_FAILED" },
    {
      name: "in a redirection",
      echo: ({ secret }) => ({ status: 302, headers: { location: `http://127.0.0.1:1/?${secret}` }, body: secret }),
      want: "BAD_ANSWER",
    },
    {
      name: "in the status line",
      echo: ({ secret }) => ({ status: 403, reason: secret, body: "" }),
      want: "BAD_ANSWER",
    },
    { name: "while it throttles", echo: ({ secret }) => stsError(400, "Throttling", secret), want: "THROTTLED" },
  ];
  test.each(answers)("$name", async ({ echo: answer, want }) => {
    echo.answer(answer);
    expect(await leak.leaksOfFailure(want, { env: { AWS_ENDPOINT_URL_STS: echo.url } })).toEqual([]);
  });

  const senseless: readonly { name: string; change: (asked: Asked) => Partial<EchoedSession> }[] = [
    { name: "without an expiry", change: () => ({ expiration: "" }) },
    { name: "whose expiry jumps about", change: jumpingExpiry },
    { name: "with a session of nobody's", change: () => ({ arn: "" }) },
    { name: "with a token for a name", change: ({ secret }) => ({ arn: secret }) },
  ];
  test.each(senseless)("keys $name are dropped in silence", async ({ change }) => {
    const keys = {
      secretAccessKey: leak.search.plant("a dropped key"),
      sessionToken: leak.search.plant("a dropped session"),
    };
    echo.answer((asked) => stsSession(asked.operation, { ...keys, ...change(asked) }));
    expect(await leak.leaksOfFailure("BAD_ANSWER", { env: { AWS_ENDPOINT_URL_STS: echo.url } })).toEqual([]);
  });

  test.each([
    { name: "the session token", repeat: ({ secret }: Asked) => secret },
    { name: "every header", repeat: ({ headers }: Asked) => JSON.stringify(headers).replaceAll("&", "&amp;") },
  ])("in the second hop of a chain: $name is repeated", async ({ repeat }) => {
    const keys = {
      secretAccessKey: leak.search.plant("the first hop's key"),
      sessionToken: leak.search.plant("the first hop's session"),
    };
    echo.answer((asked) =>
      asked.operation === "AssumeRole"
        ? stsError(403, "SignatureDoesNotMatch", `The canonical string was ${repeat(asked)}`)
        : stsSession(asked.operation, keys),
    );
    const env = { AWS_ENDPOINT_URL_STS: echo.url };
    expect(await leak.leaksOfFailure("CLOUD_DENIED", { args: ["-p", "chained"], env })).toEqual([]);
  });
});

/** An hour later at each call than at the one before. */
let hours = 1;
function jumpingExpiry(): Partial<EchoedSession> {
  hours += 1;
  return { expiration: new Date(Date.now() + hours * 3_600_000).toISOString() };
}

describe("a token service that repeats what it was sent", () => {
  const json = { "content-type": "application/json" };
  const answers: readonly { name: string; echo: Echo; want: ErrorCode }[] = [
    {
      name: "in a refusal",
      echo: ({ secret }) => ({ status: 403, headers: json, body: secret }),
      want: "IDENTITY_DENIED",
    },
    {
      name: "in place of a token",
      echo: ({ secret }) => ({ status: 200, headers: json, body: JSON.stringify({ value: secret }) }),
      want: "TOKEN_MALFORMED",
    },
    {
      name: "in what is no JSON",
      echo: ({ secret }) => ({ status: 200, headers: json, body: secret }),
      want: "BAD_ANSWER",
    },
    {
      name: "in a redirection",
      echo: ({ secret }) => ({ status: 302, headers: { location: `/?${secret}` }, body: secret }),
      want: "BAD_ANSWER",
    },
    {
      name: "in the status line",
      echo: ({ secret }) => ({ status: 500, reason: secret, body: secret }),
      want: "SERVICE_FAILED",
    },
  ];
  test.each(answers)("$name", async ({ echo: answer, want }) => {
    echo.answer(answer);
    const env = { AGENTCTL_ID_TOKEN: undefined, ACTIONS_ID_TOKEN_REQUEST_URL: `${echo.url}/token?x=1` };
    expect(await leak.leaksOfFailure(want, { args: ["-p", "demo", "--identity", "github-actions"], env })).toEqual([]);
  });
});

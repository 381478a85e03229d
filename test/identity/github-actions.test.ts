import { describe, expect, test } from "vitest";
import type { Fetch, HttpAnswer, HttpRequest } from "../../src/core/runtime.js";
import { acquireIdentity } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const BEARER = "BEARER-SECRET";
const ENV = {
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://actions.invalid/idtoken?api-version=2.0",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
};

type Reply = HttpAnswer | Error;

function answer(status: number, body: string, headers: Record<string, string> = {}): HttpAnswer {
  return { status, body, headers };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

/** GitHub's service, giving the replies in turn and then the last one for ever. */
function playService(replies: readonly Reply[]) {
  const requests: HttpRequest[] = [];
  const pauses: number[] = [];
  let clock = NOW;
  const fetch: Fetch = async (request) => {
    const reply = replies[Math.min(requests.length, replies.length - 1)];
    requests.push(request);
    if (reply === undefined || reply instanceof Error) throw reply ?? new Error("no reply was provided");
    return reply;
  };
  const runtime = (env: Record<string, string> = ENV) =>
    fakeRuntime({
      env,
      fetch,
      now: () => clock,
      sleep: async (ms) => {
        pauses.push(ms);
      },
    });
  return { requests, pauses, runtime, setClock: (at: number) => (clock = at) };
}

const audiences = [{ cloud: "aws", audiences: [AWS_AUDIENCE] }] as const;
const acquire = (service: ReturnType<typeof playService>, env?: Record<string, string>) =>
  acquireIdentity({ source: "auto", audiences }, service.runtime(env));

const good = async (claims = {}): Promise<HttpAnswer> =>
  answer(200, JSON.stringify({ count: 1, value: await makeToken(claims) }));

describe("asking", () => {
  test("the audience joins the query that is there, and the bearer goes in the header", async () => {
    const service = playService([await good()]);
    const identity = await acquire(service);
    expect(identity).toMatchObject({ source: "github-actions", reason: "ACTIONS_ID_TOKEN_REQUEST_URL is set" });
    const [request] = service.requests;
    const url = new URL(request?.url ?? "");
    expect(Object.fromEntries(url.searchParams)).toEqual({ "api-version": "2.0", audience: AWS_AUDIENCE });
    expect(request?.headers).toMatchObject({ authorization: `bearer ${BEARER}` });
    expect(request?.url).not.toContain(BEARER);
  });

  test("a token is kept for its audience while more than a minute of it is left", async () => {
    const service = playService([
      await good({ exp: NOW_SECONDS + 300 }),
      await good({ exp: NOW_SECONDS + 900, sub: "second" }),
    ]);
    const identity = await acquire(service);
    service.setClock(NOW + 239_000);
    await Promise.all([identity.mintToken([AWS_AUDIENCE]), identity.mintToken([AWS_AUDIENCE])]);
    expect(service.requests).toHaveLength(1);
    service.setClock(NOW + 240_000);
    const tokens = await Promise.all([identity.mintToken([AWS_AUDIENCE]), identity.mintToken([AWS_AUDIENCE])]);
    expect(service.requests).toHaveLength(2);
    expect(tokens.map((token) => token.subject)).toEqual(["second", "second"]);
  });

  test("another audience is asked for by itself, and a failure is not kept", async () => {
    const service = playService([await good(), answer(404, ""), await good({ aud: "other" })]);
    const identity = await acquire(service);
    expect(await thrownBy(() => identity.mintToken(["other"]))).toMatchObject({ code: "IDENTITY_DENIED" });
    expect(await identity.mintToken(["other"])).toMatchObject({ audience: ["other"] });
    expect(service.requests).toHaveLength(3);
  });

  const addresses = [
    { name: "https", url: "https://actions.invalid/x", ok: true },
    { name: "http on loopback", url: "http://127.0.0.1:8080/x", ok: true },
    { name: "http on localhost", url: "http://localhost/x", ok: true },
    { name: "http elsewhere", url: "http://actions.invalid/x", ok: false },
    { name: "a name that begins like loopback", url: "http://127.0.0.1.evil.invalid/x", ok: false },
    { name: "another protocol", url: "file:///etc/passwd", ok: false },
    { name: "no URL", url: "actions", ok: false },
  ];
  test.each(addresses)("address: $name", async ({ url, ok }) => {
    const service = playService([await good()]);
    const asked = acquire(service, { ...ENV, ACTIONS_ID_TOKEN_REQUEST_URL: url });
    if (ok) await asked;
    else expect(await thrownBy(() => asked)).toMatchObject({ code: "ENDPOINT_INVALID", exitCode: 78 });
    expect(service.requests).toHaveLength(ok ? 1 : 0);
  });
});

describe("what may go wrong", () => {
  const rows: readonly { name: string; reply: Reply; code: string; says: string; hint?: string; tries: number }[] = [
    {
      name: "refused, 400",
      reply: answer(400, "no"),
      code: "IDENTITY_DENIED",
      says: "HTTP 400",
      hint: "id-token: write",
      tries: 1,
    },
    {
      name: "refused, 401",
      reply: answer(401, "no"),
      code: "IDENTITY_DENIED",
      says: "HTTP 401",
      hint: "id-token: write",
      tries: 1,
    },
    {
      name: "refused, 403",
      reply: answer(403, "no"),
      code: "IDENTITY_DENIED",
      says: "HTTP 403",
      hint: "id-token: write",
      tries: 1,
    },
    { name: "throttled", reply: answer(429, "slow"), code: "THROTTLED", says: "HTTP 429", tries: 4 },
    { name: "failing", reply: answer(503, "oops"), code: "SERVICE_FAILED", says: "HTTP 503", tries: 4 },
    {
      name: "nothing listens",
      reply: systemError("ECONNREFUSED"),
      code: "UNREACHABLE",
      says: "actions.invalid: nothing listens there",
      tries: 4,
    },
    { name: "cut", reply: systemError("ECONNRESET"), code: "UNREACHABLE", says: "the connection was cut", tries: 4 },
    { name: "slow", reply: systemError("ETIMEDOUT"), code: "UNREACHABLE", says: "no answer in time", tries: 4 },
    {
      name: "a certificate of a stranger",
      reply: systemError("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      code: "UNREACHABLE",
      says: "UNABLE_TO_VERIFY",
      hint: "NODE_EXTRA_CA_CERTS",
      tries: 1,
    },
    {
      name: "a redirect",
      reply: answer(302, "", { location: "https://evil.invalid" }),
      code: "BAD_ANSWER",
      says: "HTTP 302",
      tries: 1,
    },
    { name: "not JSON", reply: answer(200, "<html>SECRET"), code: "BAD_ANSWER", says: "not JSON", tries: 1 },
    {
      name: "no value",
      reply: answer(200, '{"token":"SECRET"}'),
      code: "BAD_ANSWER",
      says: "without a token",
      tries: 1,
    },
    { name: "null", reply: answer(200, "null"), code: "BAD_ANSWER", says: "without a token", tries: 1 },
    {
      name: "a value that is no text",
      reply: answer(200, '{"value":7}'),
      code: "BAD_ANSWER",
      says: "without a token",
      tries: 1,
    },
    {
      name: "a value that is no token",
      reply: answer(200, '{"value":"SECRET"}'),
      code: "TOKEN_MALFORMED",
      says: "the token from GitHub Actions is not a JWT",
      tries: 1,
    },
    { name: "too long", reply: systemError("EMSGSIZE"), code: "BAD_ANSWER", says: "too long", tries: 1 },
  ];
  test("where a proxy is set, it is said that it is not taken", async () => {
    const service = playService([systemError("ECONNREFUSED")]);
    const error = await thrownBy(() => acquire(service, { ...ENV, ALL_PROXY: "http://me:hunter2@proxy.invalid" }));
    expect(error.code).toBe("UNREACHABLE");
    expect(error.hint).toMatch(/; ALL_PROXY is set, but agentctl itself asks directly/);
    expect(error.hint).not.toContain("hunter2");
  });

  test.each(rows)("$name", async ({ reply, code, says, hint, tries }) => {
    const service = playService([reply]);
    const error = await thrownBy(() => acquire(service));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    if (hint !== undefined) expect(error.hint).toContain(hint);
    expect(service.requests).toHaveLength(tries);
    const cause = error.cause instanceof Error ? error.cause.message : "";
    expect(`${error.message} ${error.hint} ${JSON.stringify(error.facts)} ${cause}`).not.toContain("SECRET");
  });

  test("what passes is got over", async () => {
    const service = playService([
      systemError("ECONNRESET"),
      answer(500, ""),
      answer(429, "", { "retry-after": "2" }),
      await good(),
    ]);
    expect(await acquire(service)).toMatchObject({ source: "github-actions" });
    expect(service.pauses).toEqual([150, 300, 2000]);
  });

  const waits = [
    { name: "seconds", header: "3", want: 3000 },
    { name: "a date", header: new Date(NOW + 4000).toUTCString(), want: 4000 },
    { name: "longer than we wait", header: "3600", want: 10_000 },
    { name: "a date that has passed", header: new Date(NOW - 4000).toUTCString(), want: 150 },
    { name: "nonsense", header: "soon", want: 150 },
  ];
  test.each(waits)("Retry-After: $name", async ({ header, want }) => {
    const service = playService([answer(503, "", { "retry-after": header }), await good()]);
    await acquire(service);
    expect(service.pauses).toEqual([want]);
  });
});

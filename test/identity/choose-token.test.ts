import { describe, expect, test } from "vitest";
import { Secret } from "../../src/core/secret.js";
import { chooseToken } from "../../src/identity/choose-token.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, FULL_PAYLOAD, forgeToken, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const clock = { now: () => NOW };
const signed = { alg: "RS256" };

const choose = (tokens: readonly string[], now = NOW, audiences: readonly string[] = [AWS_AUDIENCE]) =>
  chooseToken(
    tokens.map((token, index) => ({ token: new Secret(token), origin: `token ${index + 1}` })),
    audiences,
    { now: () => now },
  );

describe("a token that does", () => {
  const rows: readonly { name: string; claims: Record<string, unknown>; audience: string[] }[] = [
    { name: "aud as a text", claims: {}, audience: [AWS_AUDIENCE] },
    { name: "aud as a list", claims: { aud: ["other", AWS_AUDIENCE] }, audience: ["other", AWS_AUDIENCE] },
    { name: "iat a minute ahead, within tolerance", claims: { iat: NOW_SECONDS + 60 }, audience: [AWS_AUDIENCE] },
    { name: "no iat and no nbf", claims: { iat: undefined }, audience: [AWS_AUDIENCE] },
    { name: "one second left", claims: { exp: NOW_SECONDS + 1 }, audience: [AWS_AUDIENCE] },
  ];
  test.each(rows)("$name", async ({ claims, audience }) => {
    const text = await makeToken(claims);
    const token = choose([text]);
    expect(token.token.reveal()).toBe(text);
    expect(token).toMatchObject({
      issuer: "https://issuer.example",
      subject: "repo:acme/site:ref:refs/heads/main",
      audience,
    });
    expect(token.sha256).toBe(new Secret(text).sha256());
    expect(token.expiresAt).toBe(Number(claims["exp"] ?? NOW_SECONDS + 300) * 1000);
  });
});

describe("a token that does not do", () => {
  const { iss: _iss, ...withoutIssuer } = FULL_PAYLOAD;
  const { exp: _exp, ...withoutExpiry } = FULL_PAYLOAD;
  const rows = [
    { name: "a GitHub token", token: "ghs_0123456789abcdefSECRET", code: "TOKEN_MALFORMED", says: "a GitHub token" },
    {
      name: "a fine-grained GitHub token",
      token: "github_pat_11SECRET",
      code: "TOKEN_MALFORMED",
      says: "a GitHub personal",
    },
    { name: "a GitLab token", token: "glpat-SECRETSECRET", code: "TOKEN_MALFORMED", says: "a GitLab token" },
    { name: "an AWS key id", token: "AKIAIOSFODNN7SECRET1", code: "TOKEN_MALFORMED", says: "an AWS access key id" },
    { name: "a whole answer", token: '{"value":"SECRET"}', code: "TOKEN_MALFORMED", says: "the whole answer" },
    { name: "a header value", token: "Bearer SECRET", code: "TOKEN_MALFORMED", says: 'the word "Bearer"' },
    { name: "a path", token: "/var/run/secrets/SECRET", code: "TOKEN_MALFORMED", says: "AGENTCTL_TOKEN_FILE" },
    { name: "opaque", token: "SECRETSECRET", code: "TOKEN_MALFORMED", says: "12 characters in one part" },
    { name: "encrypted", token: "SECRET.a.b.c.d", code: "TOKEN_MALFORMED", says: "encrypted" },
    {
      name: "three parts of garbage",
      token: "SECRET.%%%.SECRET",
      code: "TOKEN_MALFORMED",
      says: "not base64url-encoded",
    },
    { name: "payload not JSON", token: "eyJhbGciOiJub25lIn0.U0VDUkVU.a", code: "TOKEN_MALFORMED", says: "not a JWT" },
    { name: "alg none", token: forgeToken({ alg: "None" }, FULL_PAYLOAD), code: "TOKEN_MALFORMED", says: '"none"' },
    { name: "no alg", token: forgeToken({}, FULL_PAYLOAD), code: "TOKEN_MALFORMED", says: "no `alg`" },
    {
      name: "no signature",
      token: forgeToken(signed, FULL_PAYLOAD, ""),
      code: "TOKEN_MALFORMED",
      says: "third part is empty",
    },
    { name: "no iss", token: forgeToken(signed, withoutIssuer), code: "TOKEN_MALFORMED", says: "no `iss`" },
    {
      name: "empty sub",
      token: forgeToken(signed, { ...FULL_PAYLOAD, sub: "" }),
      code: "TOKEN_MALFORMED",
      says: "no `sub`",
    },
    { name: "no exp", token: forgeToken(signed, withoutExpiry), code: "TOKEN_MALFORMED", says: "no `exp`" },
    {
      name: "exp a text",
      token: forgeToken(signed, { ...FULL_PAYLOAD, exp: "soon" }),
      code: "TOKEN_MALFORMED",
      says: "unreadable `exp`",
    },
    {
      name: "aud a number",
      token: forgeToken(signed, { ...FULL_PAYLOAD, aud: [7] }),
      code: "TOKEN_MALFORMED",
      says: "`aud`",
    },
    {
      name: "another audience",
      token: forgeToken(signed, { ...FULL_PAYLOAD, aud: ["a", "b"] }),
      code: "TOKEN_AUDIENCE",
      says: 'is for "a", "b"',
    },
    {
      name: "an audience that only contains ours",
      token: forgeToken(signed, { ...FULL_PAYLOAD, aud: `x${AWS_AUDIENCE}` }),
      code: "TOKEN_AUDIENCE",
      says: `is for "x${AWS_AUDIENCE}"`,
    },
    {
      name: "no audience",
      token: forgeToken(signed, { ...FULL_PAYLOAD, aud: [] }),
      code: "TOKEN_AUDIENCE",
      says: "is for nobody",
    },
    {
      name: "expires now",
      token: forgeToken(signed, { ...FULL_PAYLOAD, exp: NOW_SECONDS }),
      code: "TOKEN_EXPIRED",
      says: "expired 0s ago",
    },
    {
      name: "expired",
      token: forgeToken(signed, { ...FULL_PAYLOAD, exp: NOW_SECONDS - 5400 }),
      code: "TOKEN_EXPIRED",
      says: "expired 1h30m ago: it was valid until 2026-11-22T10:30:00Z, and this machine's clock says 2026-11-22T12:00:00Z",
    },
    {
      name: "iat in the future",
      token: forgeToken(signed, { ...FULL_PAYLOAD, exp: NOW_SECONDS + 9000, iat: NOW_SECONDS + 61 }),
      code: "TOKEN_EXPIRED",
      says: "its `iat` is 2026-11-22T12:01:01Z, and this machine's clock says 2026-11-22T12:00:00Z",
    },
    {
      name: "nbf in the future",
      token: forgeToken(signed, {
        ...FULL_PAYLOAD,
        exp: NOW_SECONDS + 9000,
        iat: NOW_SECONDS,
        nbf: NOW_SECONDS + 3600,
      }),
      code: "TOKEN_EXPIRED",
      says: "its `nbf` is 2026-11-22T13:00:00Z",
    },
    {
      name: "exp before the age of dates",
      token: forgeToken(signed, { ...FULL_PAYLOAD, exp: -1e30 }),
      code: "TOKEN_EXPIRED",
      says: "ago",
    },
  ] as const;
  test.each(rows)("$name", async ({ token, code, says }) => {
    const error = await thrownBy(() => choose([token]));
    expect(error).toMatchObject({ code, exitCode: 76 });
    expect(error.cause).toBeUndefined();
    expect(error.message).toContain(says);
    expect(error.hint).toBeTruthy();
    expect(`${error.message}${error.hint}${JSON.stringify(error.facts)}`).not.toMatch(/SECRET|eyJ/);
  });

  test("a wrong clock is hinted at in both directions", async () => {
    const token = await makeToken();
    expect((await thrownBy(() => choose([token], NOW + 3_600_000))).hint).toContain("set this machine's clock");
    expect((await thrownBy(() => choose([token], NOW - 3_600_000))).hint).toContain("clock is probably slow");
  });

  test("claims cannot steer a terminal from an error", async () => {
    const token = forgeToken(signed, { ...FULL_PAYLOAD, aud: "\u001b[2Jx\nagentctl: ok" });
    const error = await thrownBy(() => choose([token]));
    expect(error.message).toContain("\\u001b[2Jx\\u000aagentctl: ok");
    expect(JSON.stringify(error.facts)).not.toContain("\\n");
  });
});

describe("several tokens", () => {
  test("the first that is for the audience is taken", async () => {
    const [other, ours, alsoOurs] = await Promise.all([
      makeToken({ aud: "x" }),
      makeToken(),
      makeToken({ sub: "late" }),
    ]);
    expect(choose([other, "opaque", ours, alsoOurs]).token.reveal()).toBe(ours);
  });

  test("of several audiences the first that there is a token for, whichever token comes first", async () => {
    const [second, first] = await Promise.all([makeToken({ aud: "second" }), makeToken({ aud: "first" })]);
    expect(choose([second, first], NOW, ["none", "first", "second"]).token.reveal()).toBe(first);
    expect(choose([second], NOW, ["none", "first", "second"]).token.reveal()).toBe(second);
    const expired = await makeToken({ aud: "first", exp: NOW_SECONDS - 1 });
    expect(choose([expired, second], NOW, ["first", "second"]).token.reveal()).toBe(second);
    expect(await thrownBy(() => choose([second], NOW, ["none", "first"]))).toMatchObject({
      code: "TOKEN_AUDIENCE",
      message: expect.stringContaining('no token for the audience "none" or "first": token 1 is for "second"'),
      facts: { audienceExpected: "none or first", audiencesSeen: ["second"] },
    });
  });

  test("one that is valid is taken over an expired one before it", async () => {
    const [expired, valid] = await Promise.all([makeToken({ exp: NOW_SECONDS - 1 }), makeToken()]);
    expect(choose([expired, valid]).token.reveal()).toBe(valid);
  });

  test("where none does, the closest is told of", async () => {
    const [other, expired] = await Promise.all([makeToken({ aud: "x" }), makeToken({ exp: NOW_SECONDS - 1 })]);
    expect(await thrownBy(() => choose([other, "opaque", expired]))).toMatchObject({ code: "TOKEN_EXPIRED" });
    expect(await thrownBy(() => choose([other, "opaque"]))).toMatchObject({ code: "TOKEN_MALFORMED" });
  });

  test("all audiences seen are told, and the one expected", async () => {
    const tokens = await Promise.all([makeToken({ aud: "x" }), makeToken({ aud: ["y", "z"] })]);
    const error = await thrownBy(() =>
      chooseToken(
        tokens.map((token, i) => ({ token: new Secret(token), origin: `token ${i}` })),
        [AWS_AUDIENCE],
        clock,
      ),
    );
    expect(error).toMatchObject({
      code: "TOKEN_AUDIENCE",
      facts: { audienceExpected: AWS_AUDIENCE, audiencesSeen: ["x", "y", "z"] },
    });
  });
});

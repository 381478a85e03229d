import { describe, expect, test } from "vitest";
import { readFromLease } from "../../src/credential/index.js";
import { thrownBy } from "../thrown.js";
import { ENDPOINT, insideLease, json, LEASE, NOW } from "./lease-environment.js";

const REQUEST = { cloud: "aws", format: "process" } as const;
const KEYS = { AWS_ACCESS_KEY_ID: "ASIA1", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "session" };
const CONTAINER = {
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${ENDPOINT}/aws`,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
};
const ANSWER = { AccessKeyId: "ASIA2", SecretAccessKey: "s2", Token: "t2", Expiration: "2026-01-02T03:09:05Z" };

async function read(...inside: Parameters<typeof insideLease>) {
  const { runtime, asked } = insideLease(...inside);
  const credential = await readFromLease(REQUEST, LEASE, runtime);
  if (credential.kind !== "aws-keys") throw new Error(credential.kind);
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credential;
  return { shown: [accessKeyId.reveal(), secretAccessKey.reveal(), sessionToken.reveal()], expiresAt, asked };
}

describe("AWS's keys out of the lease", () => {
  test.each([
    { name: "with their own end", more: { AWS_CREDENTIAL_EXPIRATION: "2026-01-02T03:05:05Z" }, ends: NOW + 60_000 },
    { name: "with the lease's end where none is told", more: {}, ends: LEASE.endsAt },
  ])("are those of its variables, $name", async ({ more, ends }) => {
    const { shown, expiresAt, asked } = await read({ ...KEYS, ...more });
    expect(shown).toEqual(["ASIA1", "secret", "session"]);
    expect(expiresAt).toBe(ends);
    expect(asked).toEqual([]);
  });

  test("are asked of its endpoint, with the token of its file", async () => {
    const { shown, expiresAt, asked } = await read(CONTAINER, { "/aws": json(ANSWER) }, { "/token": "bearer" });
    expect(shown).toEqual(["ASIA2", "s2", "t2"]);
    expect(expiresAt).toBe(NOW + 300_000);
    expect(asked).toMatchObject([{ url: `${ENDPOINT}/aws`, headers: { authorization: "bearer" } }]);
  });

  test.each([
    { name: "none of AWS's variables", variables: {}, want: "CONFIG_INVALID" },
    {
      name: "a key of somebody else's",
      variables: { AWS_ACCESS_KEY_ID: "AKIA1", AWS_SECRET_ACCESS_KEY: "s" },
      want: "CONFIG_INVALID",
    },
    {
      name: "an endpoint that is elsewhere",
      variables: { ...CONTAINER, AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.2/x" },
      want: "CONFIG_INVALID",
    },
    { name: "an endpoint that is gone", variables: CONTAINER, want: "UNREACHABLE" },
    {
      name: "a refusal",
      variables: CONTAINER,
      answer: json({ code: "AccessDenied", message: "agentctl: not you" }, 403),
      want: "CLOUD_DENIED",
      says: /: not you$/,
    },
    {
      name: "a cloud that is away",
      variables: CONTAINER,
      answer: json({ message: "later" }, 503),
      want: "SERVICE_FAILED",
    },
    { name: "an answer that is none", variables: CONTAINER, answer: { body: "<html>" }, want: "BAD_ANSWER" },
    { name: "half an answer", variables: CONTAINER, answer: json({ ...ANSWER, Token: "" }), want: "BAD_ANSWER" },
    { name: "no end", variables: CONTAINER, answer: json({ ...ANSWER, Expiration: "soon" }), want: "BAD_ANSWER" },
  ])("are refused for $name", async ({ variables, answer, want, says = /./ }) => {
    const answers = answer === undefined ? {} : { "/aws": answer };
    const error = await thrownBy(() => read(variables, answers, { "/token": "bearer" }));
    expect(error).toMatchObject({ code: want, message: expect.stringMatching(says) });
    expect(`${error.message} ${error.hint}`).not.toMatch(/unguessable|bearer/);
  });

  test("are refused once the lease is over", async () => {
    const { runtime } = insideLease(KEYS);
    const over = { ...LEASE, endsAt: NOW };
    expect(await thrownBy(() => readFromLease(REQUEST, over, runtime))).toMatchObject({ code: "TOKEN_EXPIRED" });
  });
});

import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Fetch } from "../../src/core/runtime.js";
import { checkClock } from "../../src/doctor/check-clock.js";
import { NotTried } from "../../src/doctor/examination.js";
import { AWS_AUDIENCE, makeToken, NOW } from "../identity/tokens.js";
import { findingsOf, makeProject, runtimeIn } from "./examination.js";

const AWS_ONLY = `version: 1
profiles:
  deploy: { aws: { role_arn: "arn:aws:iam::111122223333:role/deploy", region: eu-central-1 } }
`;

let dir: string;
beforeEach(() => {
  dir = makeProject(AWS_ONLY);
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const dated = (aheadSeconds: number) => new Date(NOW + aheadSeconds * 1000).toUTCString();

async function compare(date: string | undefined | Error, env: Readonly<Record<string, string>> = {}) {
  const asked: string[] = [];
  const fetch: Fetch = async ({ url, headers }) => {
    asked.push(url);
    expect(headers).toBeUndefined();
    if (date instanceof Error) throw date;
    return { status: 404, headers: { date }, body: "" };
  };
  const runtime = runtimeIn(dir, { env, fetch, now: () => NOW });
  return { asked, findings: await findingsOf(checkClock, runtime, { profileName: "deploy" }) };
}

describe("the clock, against each cloud's Date header", () => {
  test.each([
    { name: "the same", ahead: 0, status: "ok" },
    { name: "a little off", ahead: 29, status: "ok" },
    { name: "behind", ahead: 45, status: "warn", says: /is 46s behind aws \(sts\.eu-central-1\.amazonaws\.com\)/ },
    { name: "ahead", ahead: -200, status: "warn", says: /is 3m20s ahead of aws/ },
    { name: "far off", ahead: 3600, status: "fail", says: /are refused$/ },
  ])("$name", async ({ ahead, status, says = /./ }) => {
    const { findings } = await compare(dated(ahead));
    expect(findings).toMatchObject([{ status, message: expect.stringMatching(says) }]);
  });

  test.each([
    { name: "no answer", date: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) },
    { name: "no date", date: undefined },
    { name: "a date that is none", date: "soon" },
  ])("not to be told: $name", async ({ date }) => {
    expect((await compare(date)).findings).toMatchObject([
      { status: "note", message: expect.stringContaining("was not seen") },
    ]);
  });

  test("and the issuer's", async () => {
    const env = { AGENTCTL_ID_TOKEN: await makeToken({ iss: "https://issuer.example/tenant/", aud: AWS_AUDIENCE }) };
    const { asked, findings } = await compare(dated(0), env);
    expect(asked).toEqual([
      "https://sts.eu-central-1.amazonaws.com",
      "https://issuer.example/tenant/.well-known/openid-configuration",
    ]);
    expect(findings[1]?.message).toContain("of the issuer (issuer.example)");
  });

  test.each([
    { name: "by no plain http", iss: "http://issuer.example", env: {} },
    {
      name: "not where the clouds' addresses are others",
      iss: "https://issuer.example",
      env: { AWS_ENDPOINT_URL_STS: "https://127.0.0.1:1" },
    },
  ])("the issuer is asked $name", async ({ iss, env }) => {
    const { asked } = await compare(dated(0), { ...env, AGENTCTL_ID_TOKEN: await makeToken({ iss }) });
    expect(asked).toHaveLength(1);
  });

  test("without a profile nobody is asked", async () => {
    await expect(findingsOf(checkClock, runtimeIn(dir))).rejects.toThrow(NotTried);
  });
});

import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../../../src/core/errors.js";
import { cutsConnection, neverAnswers, type Reply, refuses } from "../fake-sts.js";
import { TOKEN } from "../issuing.js";
import { LEASE_ID, ROLE } from "../settings.js";
import { denial, denied } from "./fake-aws.js";
import { FENCE, NOW, REVOKER, type Scene, SESSION, scene, stepsOf } from "./taking-back.js";

const NAME = `agentctl-revoke-${FENCE / 1000}-${LEASE_ID}`;
const OTHERS = "l-AAAAAAAAAAAAAAAA";
const expired = (secondsAgo: number, id = OTHERS) => `agentctl-revoke-${NOW / 1000 - secondsAgo}-${id}`;
const busy = refuses(409, "ConcurrentModification", "The request was rejected because multiple requests are processed");
const throttled = refuses(400, "Throttling", "Rate exceeded");
const forbidden = (action: string) => refuses(403, "AccessDenied", `not authorized to perform: iam:${action}`);
const times = (count: number, reply: Reply) => Array.from({ length: count }, () => reply);

describe("taking a session back", () => {
  it("puts one short deny for exactly the lease's sessions on the role, and sees it refused", async () => {
    const { aws, end, progress } = await scene({ world: { callsUntilDenied: 3 } });
    const ending = await end();
    expect(ending).toMatchObject({
      cloud: "aws",
      word: "revoked",
      at: expect.stringMatching(/^2026-11-22T12:00:0\d\.\d{3}Z$/),
      until: "2026-11-22T12:15:00Z",
      detail: expect.stringMatching(
        /^STS in eu-central-1 refused the session because of the deny on \S+agentctl-deploy, \d\.\ds after it was put there; GetCallerIdentity, and logins/,
      ),
    });
    expect(ending).not.toHaveProperty("shortfall");
    expect(stepsOf(ending)).toEqual([
      `assumed ${REVOKER}`,
      `put the deny ${NAME} on ${ROLE}`,
      expect.stringMatching(/^refused by STS in eu-central-1, \d\.\ds after the deny was put$/),
    ]);
    expect([...aws.policies]).toEqual([
      [
        NAME,
        `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:userid":"*:${SESSION}"}}}}`,
      ],
    ]);
    expect(progress.at(-1)).toBe("waiting to see the session refused, by STS in eu-central-1 (of 30s)");
  });

  it("asks for the revoker with the caller's token, for this role's policies alone, and a moment", async () => {
    const { aws, end } = await scene();
    await end();
    const [asked] = aws.askedFor("AssumeRoleWithWebIdentity");
    expect(asked).toMatchObject({
      RoleArn: REVOKER,
      RoleSessionName: `agentctl-revoke-${LEASE_ID}`,
      DurationSeconds: "900",
      WebIdentityToken: TOKEN,
    });
    const actions = ["iam:GetRole", "iam:ListRolePolicies", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];
    expect(JSON.parse(asked?.["Policy"] ?? "").Statement).toEqual([
      { Effect: "Allow", Action: actions, Resource: ROLE },
      { Effect: "Deny", NotAction: actions, Resource: "*" },
      { Effect: "Deny", Action: "*", NotResource: ROLE },
      expect.objectContaining({
        Effect: "Deny",
        Condition: { DateGreaterThan: { "aws:CurrentTime": "2026-11-22T12:02:00Z" } },
      }),
    ]);
  });

  it("asks IAM as the revoker, in IAM's own region, and STS as the lease, in the lease's", async () => {
    const { aws, end } = await scene();
    await end();
    const signer = (action: string) => {
      const one = aws.asked.find(({ params }) => params.get("Action") === action);
      return [
        /Credential=\w+\/\d+\/([^,]+)/.exec(String(one?.headers["authorization"]))?.[1],
        one?.headers["x-amz-security-token"],
      ];
    };
    expect(signer("PutRolePolicy")).toEqual(["us-east-1/iam/aws4_request", `session-canary-of-${REVOKER}`]);
    expect(signer("DecodeAuthorizationMessage")).toEqual(["eu-central-1/sts/aws4_request", "lease-canary"]);
    const [put] = aws.asked.filter(({ params }) => params.get("Action") === "PutRolePolicy");
    expect(put?.headers["user-agent"]).toMatch(/^agentctl\//);
  });

  it("needs two refusals in a row", async () => {
    const flicker = refuses(400, "InvalidAuthorizationMessageException", "no");
    const { aws, end } = await scene({
      world: { instead: { DecodeAuthorizationMessage: [flicker, denied, flicker, denied, denied] } },
    });
    expect(await end()).toMatchObject({ word: "revoked" });
    expect(aws.askedFor("DecodeAuthorizationMessage")).toHaveLength(5);
  });

  it("takes the session of a role in a path back by the role's name", async () => {
    const roleArn = "arn:aws:iam::111122223333:role/teams/web/deploy";
    const { aws, end } = await scene({ settings: { roleArn } });
    await end();
    expect(aws.askedFor("PutRolePolicy")[0]).toMatchObject({ RoleName: "deploy" });
    expect(aws.askedFor("AssumeRoleWithWebIdentity")[0]?.["Policy"]).toContain(roleArn);
  });

  it("does no harm a second time: the deny that is there is not written again", async () => {
    const { aws, end } = await scene({ isWithoutKeys: true });
    await end();
    const second = await end();
    expect(aws.askedFor("PutRolePolicy")).toHaveLength(1);
    expect(second).toMatchObject({ word: "removed" });
    expect(stepsOf(second)).toContain(`the deny ${NAME} is on ${ROLE} already`);
  });

  it("writes again where the deny of an earlier ending would be pruned before the fence", async () => {
    const early = `agentctl-revoke-${FENCE / 1000 - 120}-${LEASE_ID}`;
    const { aws, end } = await scene({ isWithoutKeys: true, world: { policies: [early] } });
    await end();
    expect([...aws.policies.keys()]).toEqual([early, NAME]);
  });

  it("shows nothing of a token or a key", async () => {
    const repeats: Reply = ({ params, headers }, response) =>
      refuses(
        403,
        "AccessDenied",
        `${params.get("WebIdentityToken")} ${headers["x-amz-security-token"]}`,
      )({ params, headers }, response);
    for (const action of ["AssumeRoleWithWebIdentity", "PutRolePolicy", "ListRolePolicies"]) {
      const { end } = await scene({ world: { instead: { [action]: [repeats] } } });
      expect(JSON.stringify(await end())).not.toMatch(/canary|CANARY|eyJ/);
    }
  });
});

describe("by AWS's clock, not this machine's", () => {
  const HOUR = 3_600_000;
  it.each([
    { name: "an hour ahead", aheadMs: HOUR },
    { name: "an hour behind", aheadMs: -HOUR },
  ])("$name, the deny is named, and others pruned", async ({ aheadMs }) => {
    const awsNow = (NOW + aheadMs) / 1000;
    const old = `agentctl-revoke-${awsNow - 310}-${OTHERS}`;
    const young = `agentctl-revoke-${awsNow - 290}-${OTHERS}`;
    const { aws, end } = await scene({ isWithoutKeys: true, world: { aheadMs, policies: [old, young] } });
    await end();
    expect([...aws.policies.keys()]).toEqual([young, `agentctl-revoke-${(FENCE + aheadMs) / 1000}-${LEASE_ID}`]);
    const fences = aws
      .askedFor("AssumeRoleWithWebIdentity")
      .map(({ Policy }) => /CurrentTime":"([^"]+)/.exec(Policy ?? "")?.[1]);
    expect(Date.parse(fences.at(-1) ?? "")).toBe(NOW + aheadMs + 120_000);
  });
});

describe("pruning", () => {
  it("deletes our expired denies, and nothing else", async () => {
    const stay = ["their-own", "agentctl-revoke-soon", expired(299), expired(-60), `${expired(900)}x`];
    const { aws, end } = await scene({
      isWithoutKeys: true,
      world: { policies: [expired(301), ...stay, expired(90_000)], pageSize: 2 },
    });
    const ending = await end();
    expect([...aws.policies.keys()]).toEqual([...stay, NAME]);
    expect(stepsOf(ending)).toContain("pruned 2 of our denies, whose sessions are fenced anyway");
  });

  it("removes the oldest ten at most, so that an ending is not held up by yesterday's", async () => {
    const policies = Array.from({ length: 15 }, (_, index) => expired(1_000 + index));
    const { aws, end } = await scene({ isWithoutKeys: true, world: { policies } });
    await end();
    expect([...aws.policies.keys()]).toEqual([...policies.slice(0, 5), NAME]);
  });

  it.each([
    { name: "listing is refused", instead: { ListRolePolicies: [forbidden("ListRolePolicies")] } },
    { name: "deleting is refused", instead: { DeleteRolePolicy: [forbidden("DeleteRolePolicy")] } },
  ])("is no condition: the deny is put where $name", async ({ instead }) => {
    const { aws, end } = await scene({ isWithoutKeys: true, world: { policies: [expired(400)], instead } });
    const ending = await end();
    expect(ending.word).toBe("removed");
    expect(stepsOf(ending)).toContainEqual(expect.stringMatching(/^could not prune: AWS IAM refused iam:\w+ on/));
    expect(aws.policies.has(NAME)).toBe(true);
  });

  it("minds no other that prunes the same at once", async () => {
    const gone = refuses(404, "NoSuchEntity", "The role policy cannot be found.");
    const world = { policies: [expired(400)], instead: { DeleteRolePolicy: [gone] } };
    const { end } = await scene({ isWithoutKeys: true, world });
    expect(stepsOf(await end()).join()).not.toContain("could not");
  });
});

describe("a role that is full", () => {
  it("gets the deny once there is room by pruning all", async () => {
    const policies = Array.from({ length: 15 }, (_, index) => expired(1_000 + index));
    const full = refuses(409, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r");
    const { aws, end } = await scene({ isWithoutKeys: true, world: { policies, instead: { PutRolePolicy: [full] } } });
    expect(await end()).toMatchObject({ word: "removed" });
    expect([...aws.policies.keys()]).toEqual([NAME]);
  });

  it("leaves the session to its fence, and says so", async () => {
    const { aws, end } = await scene({ world: { policies: ["their-own", expired(10)], room: 2 } });
    const ending = await end();
    expect(ending).toMatchObject({
      word: "fenced",
      at: "2026-11-22T12:05:00Z",
      until: "2026-11-22T12:15:00Z",
      shortfall: "the role holds as many denies as fit",
      detail: expect.stringContaining(
        "holds as many denies as fit: the session's own policy denies every authorized call",
      ),
    });
    expect(ending).not.toHaveProperty("isUnfinished");
    expect(aws.askedFor("PutRolePolicy")).toHaveLength(2);
    expect(aws.policies.size).toBe(2);
  });
});

describe("a role without a permissions boundary", () => {
  const world = { boundary: undefined as never };

  it("gets no deny, by a sweep neither, and the session is left to its fence", async () => {
    for (const isWithoutKeys of [false, true]) {
      const { aws, end } = await scene({ world, isWithoutKeys });
      expect(await end()).toMatchObject({
        word: "fenced",
        at: "2026-11-22T12:05:00Z",
        shortfall: "the role has no permissions boundary, without which no policy is put on it",
      });
      expect(aws.askedFor("PutRolePolicy")).toEqual([]);
    }
  });

  it("gets one where the profile accepts that, and nobody looks for a boundary", async () => {
    const { aws, end } = await scene({ world, settings: { acceptEscalation: true } });
    expect(await end()).toMatchObject({ word: "revoked" });
    expect(aws.askedFor("GetRole")).toEqual([]);
  });
});

describe("keys that were never handed out", () => {
  it("are left to their fence where they cannot be taken back, and nobody has to come back for them", async () => {
    const { end } = await scene({
      order: { isHandedOut: false },
      world: { instead: { PutRolePolicy: [refuses(404, "NoSuchEntity", "The role cannot be found.")] } },
    });
    const ending = await end();
    expect(ending).toMatchObject({
      word: "fenced",
      at: "2026-11-22T12:05:00Z",
      detail: expect.stringMatching(
        /^its keys were never handed out, and are lost; it was not taken back \(AWS IAM refused/,
      ),
    });
    expect(ending).not.toHaveProperty("shortfall");
    expect(ending).not.toHaveProperty("isUnfinished");
  });
});

describe("a look before the deny that STS did not answer", () => {
  it("is taken again when it has answered the revoker, and the session is seen to be refused", async () => {
    const away = times(2, refuses(503, "ServiceUnavailable", "no"));
    const { aws, end } = await scene({ world: { instead: { DecodeAuthorizationMessage: away } } });
    expect(await end()).toMatchObject({ word: "revoked" });
    // Two tries that failed, one look without the deny, and two refusals because of it.
    expect(aws.askedFor("DecodeAuthorizationMessage")).toHaveLength(5);
  });
});

describe("a session that is not seen to be refused is removed, not revoked", () => {
  const inSession = refuses(403, "AccessDenied", denial("with an explicit deny in a session policy"));
  const inScp = refuses(403, "AccessDenied", denial("with an explicit deny in a service control policy: arn:aws:x"));
  const aborted = AbortSignal.abort();
  const cases: { name: string; input: Scene; want: RegExp; asked: number }[] = [
    { name: "without its keys", input: { isWithoutKeys: true }, want: /had no keys of it/, asked: 0 },
    {
      name: "whose call was denied before by the role",
      input: { world: { instead: { DecodeAuthorizationMessage: [denied] } } },
      want: /denied the session's call, by which that is seen, before/,
      asked: 1,
    },
    {
      name: "whose call was denied before by its session policy",
      input: { world: { instead: { DecodeAuthorizationMessage: [inSession] } } },
      want: /denied the session's call/,
      asked: 1,
    },
    {
      name: "whose call was answered with nonsense before",
      input: { world: { instead: { DecodeAuthorizationMessage: times(4, refuses(501, "NotImplemented", "no")) } } },
      want: /gave no answer by which that could be seen/,
      asked: 4,
    },
    {
      name: "that somebody else's policy comes to deny",
      input: {
        world: {
          instead: {
            DecodeAuthorizationMessage: [
              refuses(400, "InvalidAuthorizationMessageException", "no"),
              ...times(100, inScp),
            ],
          },
        },
      },
      want: /was not seen to refuse the session within 3\d\.\ds/,
      asked: -1,
    },
    {
      name: "whose call is answered with nonsense from then on",
      input: {
        world: {
          instead: {
            DecodeAuthorizationMessage: [
              refuses(400, "InvalidAuthorizationMessageException", "no"),
              ...times(200, refuses(501, "NotImplemented", "no")),
            ],
          },
        },
      },
      want: /was not seen to refuse the session within 3\d\.\ds/,
      asked: -1,
    },
    {
      name: "where AWS takes longer than is waited",
      input: { world: { callsUntilDenied: 1_000 } },
      want: /was not seen to refuse the session within 3\d\.\ds/,
      asked: -1,
    },
    { name: "where nobody waits", input: { context: { unwatched: aborted } }, want: /nobody waited/, asked: 0 },
  ];
  it.each(cases)("$name", async ({ input, want, asked }) => {
    const { aws, end } = await scene(input);
    const ending = await end();
    expect(ending).toMatchObject({ word: "removed", at: "2026-11-22T12:05:00Z", until: "2026-11-22T12:15:00Z" });
    expect(ending.detail).toMatch(want);
    expect(ending.detail).toMatch(
      /is on \S+agentctl-deploy since 2026-11-22T12:00:\d\dZ; AWS says .*within minutes.*; at 2026-11-22T12:05:00Z, at the latest/,
    );
    expect(ending).not.toHaveProperty("shortfall");
    expect(ending).not.toHaveProperty("isUnfinished");
    expect(aws.policies.has(NAME)).toBe(true);
    if (asked >= 0) expect(aws.askedFor("DecodeAuthorizationMessage")).toHaveLength(asked);
  });

  it("is asked ever less often, and for half a minute", async () => {
    const { aws, end, elapsedMs } = await scene({ world: { callsUntilDenied: 1_000 } });
    await end();
    expect(elapsedMs()).toBeGreaterThanOrEqual(30_000);
    expect(elapsedMs()).toBeLessThan(33_000);
    expect(aws.askedFor("DecodeAuthorizationMessage").length).toBeLessThan(30);
  });

  it("takes an explicit deny of a kind that AWS does not name for the role's", async () => {
    const unnamed = refuses(403, "AccessDenied", denial("with an explicit deny"));
    const { end } = await scene({
      world: {
        instead: {
          DecodeAuthorizationMessage: [
            refuses(403, "AccessDenied", denial("because no session policy allows the action")),
            unnamed,
            unnamed,
          ],
        },
      },
    });
    expect(await end()).toMatchObject({ word: "revoked" });
  });
});

describe("what may pass is tried again", () => {
  const cases: { name: string; action: string; replies: readonly Reply[] }[] = [
    { name: "another change of the role", action: "PutRolePolicy", replies: times(3, busy) },
    { name: "throttling", action: "PutRolePolicy", replies: times(3, throttled) },
    { name: "IAM's own failure", action: "PutRolePolicy", replies: [refuses(500, "ServiceFailure", "oops")] },
    { name: "a cut connection", action: "ListRolePolicies", replies: [cutsConnection] },
    {
      name: "STS's own failure",
      action: "AssumeRoleWithWebIdentity",
      replies: [refuses(500, "InternalFailure", "oops")],
    },
  ];
  it.each(cases)("$name", async ({ action, replies }) => {
    const { aws, end } = await scene({ world: { instead: { [action]: replies } } });
    expect(await end()).toMatchObject({ word: "revoked" });
    expect(aws.askedFor(action)).toHaveLength(replies.length + 1);
  });
});

describe("what could not be taken back has failed, and says so", () => {
  const cases: { name: string; input: Scene; want: RegExp; tries: string }[] = [
    {
      name: "a revoker that is refused",
      input: { world: { instead: { AssumeRoleWithWebIdentity: [refuses(403, "AccessDenied", "Not authorized")] } } },
      want: /^AWS STS refused \S+agentctl-revoker: Not authorized \(AccessDenied\)/,
      tries: "once",
    },
    {
      name: "a deny that is refused",
      input: { world: { instead: { PutRolePolicy: [forbidden("PutRolePolicy")] } } },
      want: /^AWS IAM refused iam:PutRolePolicy on \S+agentctl-deploy to \S+agentctl-revoker: .*\(AccessDenied\)/,
      tries: "4 times",
    },
    {
      name: "a role that is gone",
      input: { world: { instead: { PutRolePolicy: [refuses(404, "NoSuchEntity", "The role cannot be found.")] } } },
      want: /\(NoSuchEntity\)/,
      tries: "4 times",
    },
    {
      name: "throttling without an end",
      input: { world: { instead: { PutRolePolicy: times(20, throttled) } } },
      want: /^AWS IAM at \S+ \(AWS_ENDPOINT_URL\) answered 400 Throttling: too many requests/,
      tries: "19 times",
    },
    {
      name: "a role that is always being changed",
      input: { world: { instead: { PutRolePolicy: times(20, busy) } } },
      want: /answered 409 ConcurrentModification, again and again/,
      tries: "19 times",
    },
    {
      name: "nobody to ask for a token",
      input: {
        context: { mintToken: () => Promise.reject(new AgentctlError("NO_IDENTITY", "no identity was found")) },
      },
      want: /^no identity was found/,
      tries: "",
    },
  ];
  it.each(cases)("$name", async ({ input, want, tries }) => {
    const { aws, end } = await scene(input);
    const ending = await end();
    expect(ending).toMatchObject({
      word: "failed",
      at: "2026-11-22T12:05:00Z",
      until: "2026-11-22T12:15:00Z",
      isUnfinished: true,
      shortfall: expect.stringMatching(want),
    });
    expect(ending.detail).toMatch(want);
    expect(ending.detail).toBe(
      `${ending.shortfall}; it can be used until 2026-11-22T12:05:00Z, and some of it until 2026-11-22T12:15:00Z`,
    );
    const asked = tries === "" ? /^gave up: AWS was not asked$/ : new RegExp(`^gave up: AWS was asked ${tries} in `);
    expect(stepsOf(ending).at(-1)).toMatch(asked);
    expect(aws.policies.size).toBe(0);
  });

  it("has its own deadline, and an AWS that never answers is given up then", async () => {
    const instead = { PutRolePolicy: times(9, neverAnswers) };
    const { back } = await scene({ world: { instead }, limits: { putMs: 200 } });
    expect(await back()).toMatchObject({
      word: "failed",
      isUnfinished: true,
      shortfall: "AWS had not taken it back within 0.2s",
    });
  });

  it("is nothing to try again where the fence is near by then", async () => {
    const { runtime, back } = await scene({
      order: { usableUntil: NOW + 60_000 },
      world: { instead: { PutRolePolicy: [throttled, forbidden("PutRolePolicy")] } },
    });
    expect(runtime.now()).toBe(NOW);
    const ending = await back();
    expect(ending.word).toBe("failed");
    expect(ending).not.toHaveProperty("isUnfinished");
  });
});

describe("an interruption", () => {
  it("once ends the watching: it was taken back", async () => {
    const unwatched = new AbortController();
    const { end } = await scene({
      world: { callsUntilDenied: 1_000 },
      context: {
        unwatched: unwatched.signal,
        onProgress: (text) => void (text.startsWith("waiting") && unwatched.abort()),
      },
    });
    expect(await end()).toMatchObject({ word: "removed" });
  });

  it("twice while watching loses nothing of that either", async () => {
    const signal = new AbortController();
    const { end } = await scene({
      world: { callsUntilDenied: 1_000 },
      context: { signal: signal.signal, onProgress: (text) => void (text.startsWith("waiting") && signal.abort()) },
    });
    expect(await end()).toMatchObject({ word: "removed" });
  });

  it.each(["AssumeRoleWithWebIdentity", "ListRolePolicies", "PutRolePolicy"])(
    "twice stops at once, and leaves it to somebody else: during %s",
    async (action) => {
      const signal = new AbortController();
      const stops: Reply = () => signal.abort();
      const { aws, end } = await scene({
        world: { instead: { [action]: [stops] } },
        context: { signal: signal.signal },
      });
      const ending = await end();
      expect(ending).toMatchObject({
        word: "failed",
        shortfall: "interrupted before it was taken back",
        isUnfinished: true,
      });
      expect(aws.askedFor(action)).toHaveLength(1);
      expect(aws.policies.size).toBe(0);
    },
  );

  it("does not wait for how things were before, either", async () => {
    const signal = new AbortController();
    const hangs: Reply = () => signal.abort();
    const { aws, end } = await scene({
      world: { instead: { DecodeAuthorizationMessage: [hangs] } },
      context: { signal: signal.signal },
    });
    expect(await end()).toMatchObject({ word: "failed", shortfall: "interrupted before it was taken back" });
    expect(aws.policies.size).toBe(0);
  });

  it("does not wait for a token that never comes", async () => {
    const signal = new AbortController();
    const mintToken = () => {
      signal.abort();
      return new Promise<never>(() => {});
    };
    const { end } = await scene({ context: { mintToken, signal: signal.signal } });
    expect(await end()).toMatchObject({ word: "failed", isUnfinished: true });
  });
});

import { afterEach } from "vitest";
import type { OpenLimits } from "../../../src/clouds/gcp/rights/open-rights.js";
import type { TakeBackLimits } from "../../../src/clouds/gcp/rights/take-back.js";
import { fetchOverHttp } from "../../../src/core/http.js";
import type { Environment } from "../../../src/core/runtime.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { type Asked, answersJson, type FakeService, type Reply, startFakeService } from "../exchange/fake-service.js";
import { federates } from "./fake-google.js";
import { answerPam, type FakePam } from "./fake-pam.js";

export interface FakeBinding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: { readonly title: string; readonly description?: string; readonly expression: string };
}

interface Held {
  etag: number;
  bindings: readonly FakeBinding[];
}

/** What a test may see and do of the fake. */
export interface FakeRights {
  readonly env: Environment;
  readonly asked: readonly Asked[];
  readonly pam: FakePam;
  /** By the path of the API: `projects/ID`, `folders/N`, `b/BUCKET`, `projects/P/serviceAccounts/EMAIL`. */
  readonly policies: ReadonlyMap<string, Held>;
  bindings(holder: string): readonly FakeBinding[];
  /** Somebody else's write. */
  write(holder: string, change: (bindings: readonly FakeBinding[]) => readonly FakeBinding[]): void;
  /** Asked before each write comes through: what it answers goes out in the place of the write's own answer. */
  beforeSet: (holder: string, count: number) => Reply | undefined;
  /** What an answer to a test of permissions is made of; by default the policy as it is. */
  granted: (holder: string, who: string, count: number) => readonly string[] | Reply | undefined;
  /** What reading a policy is answered with, where it is not the policy. */
  insteadOfPolicy?: Reply;
  /** Of a service account's token. */
  refuseToBe?: string;
  clockAheadMs: number;
  /** Answers so many of the next questions, of whatever kind. */
  outage?: { readonly reply: Reply; times: number };
  /** Bodies of the writes, oldest first. */
  readonly written: readonly {
    readonly holder: string;
    readonly who: string;
    readonly policy: Record<string, unknown>;
  }[];
}

/** What the roles of the tests are made of. */
export const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  "roles/storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
  "roles/logging.viewer": ["logging.logs.list"],
};

const started: FakeService[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.close()));
});

/** Google's STS, IAM Credentials, Resource Manager, Cloud Storage, IAM and Privileged Access Manager, on loopback. */
export async function startFakeRights(
  initial: Readonly<Record<string, readonly FakeBinding[]>>,
  pam: Partial<FakePam> = {},
): Promise<FakeRights> {
  const policies = new Map<string, Held>(
    Object.entries(initial).map(([holder, bindings]) => [holder, { etag: 1, bindings }]),
  );
  const counts = { set: 0, test: 0 };
  const written: { holder: string; who: string; policy: Record<string, unknown> }[] = [];
  const mustHold = (holder: string): Held => {
    const held = policies.get(holder);
    if (held === undefined) throw new Error(`the fake has no ${holder}`);
    return held;
  };
  const fake: FakeRights = {
    env: {},
    asked: [],
    pam: { grants: [], ...pam },
    policies,
    bindings: (holder) => mustHold(holder).bindings,
    write: (holder, change) => {
      const { etag, bindings } = mustHold(holder);
      policies.set(holder, { etag: etag + 1, bindings: change(bindings) });
    },
    beforeSet: () => undefined,
    granted: (holder, who) =>
      mustHold(holder)
        .bindings.filter(({ members }) => members.includes(who))
        .flatMap(({ role }) => PERMISSIONS[role] ?? []),
    clockAheadMs: 0,
    written,
  };
  const answer = (asked: Asked): Reply | undefined => {
    if (fake.outage !== undefined && fake.outage.times > 0) {
      fake.outage.times -= 1;
      return fake.outage.reply;
    }
    const account = /serviceAccounts\/(.+):generateAccessToken$/.exec(asked.path)?.[1];
    if (asked.path === "/v1/token") return federates();
    if (account !== undefined)
      return account === fake.refuseToBe ? denied() : impersonated(account, asked, fake.clockAheadMs);
    if (asked.path.includes("/entitlements/")) return answerPam(asked, whoIs(asked), fake.pam);
    const call = readCall(asked);
    if (call === undefined || !policies.has(call.holder)) return undefined;
    const held = mustHold(call.holder);
    if (call.verb === "get") return fake.insteadOfPolicy ?? answersJson(200, shown(held));
    if (call.verb === "test") {
      counts.test += 1;
      const said = fake.granted(call.holder, whoIs(asked), counts.test) ?? [];
      if (typeof said === "function") return said;
      const permissions = call.permissions.filter((permission) => said.includes(permission));
      return answersJson(200, permissions.length === 0 ? {} : { permissions });
    }
    counts.set += 1;
    const instead = fake.beforeSet(call.holder, counts.set);
    if (instead !== undefined) return instead;
    const { policy } = call;
    if (policy["etag"] !== String(mustHold(call.holder).etag)) return conflict(call.holder);
    written.push({ holder: call.holder, who: whoIs(asked), policy });
    fake.write(call.holder, () => policy["bindings"] as readonly FakeBinding[]);
    return answersJson(200, policy);
  };
  const service = await startFakeService((asked) => {
    const reply = answer(asked);
    return (
      reply &&
      ((one, response) => {
        response.setHeader("date", new Date(Date.now() + fake.clockAheadMs).toUTCString());
        reply(one, response);
      })
    );
  });
  started.push(service);
  return Object.assign(fake, { env: environmentOf(service.url), asked: service.asked });
}

/** Version 3 only where there are conditions; what is not ours to know comes along. */
function shown({ etag, bindings }: Held): Record<string, unknown> {
  const version = bindings.some(({ condition }) => condition !== undefined) ? 3 : 1;
  return { version, etag: String(etag), bindings, auditConfigs: [{ service: "allServices" }] };
}

/** Overrides as gcloud reads them. */
function environmentOf(url: string): Environment {
  const names = ["STS", "IAMCREDENTIALS", "CLOUDRESOURCEMANAGER", "IAM", "PRIVILEGEDACCESSMANAGER"];
  return {
    ...Object.fromEntries(names.map((name) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`, url])),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${url}/storage/v1/`,
  };
}

interface Call {
  readonly verb: "get" | "set" | "test";
  readonly holder: string;
  readonly policy: Record<string, unknown>;
  readonly permissions: readonly string[];
}

function readCall({ method, path, body }: Asked): Call | undefined {
  const url = new URL(path, "http://fake");
  const bucket = /^\/storage\/v1\/(b\/[^/]+)\/iam(\/testPermissions)?$/.exec(url.pathname);
  if (bucket?.[1] !== undefined) {
    const verb = bucket[2] !== undefined ? "test" : method === "PUT" ? "set" : "get";
    if (verb === "get" && url.searchParams.get("optionsRequestedPolicyVersion") !== "3") return undefined;
    const policy = verb === "set" ? JSON.parse(body) : {};
    return { verb, holder: bucket[1], policy, permissions: url.searchParams.getAll("permissions") };
  }
  const [, holder, verb] = /^\/v[13]\/(.+):(get|set|test)Iam(?:Policy|Permissions)$/.exec(url.pathname) ?? [];
  if (holder === undefined || method !== "POST") return undefined;
  const asksInQuery = url.searchParams.get("options.requestedPolicyVersion") === "3";
  // IAM, which is asked in the query, takes no body.
  if (asksInQuery && body !== "") return undefined;
  const json = JSON.parse(body === "" ? "{}" : body) as Record<string, never>;
  if (verb === "get" && !asksInQuery && json["options"]?.["requestedPolicyVersion"] !== 3) return undefined;
  return { verb: verb as Call["verb"], holder, policy: json["policy"] ?? {}, permissions: json["permissions"] ?? [] };
}

function impersonated(account: string, { body }: Asked, aheadMs: number): Reply {
  const { lifetime } = JSON.parse(body) as { lifetime: string };
  const expireTime = new Date(Date.now() + aheadMs + Number.parseInt(lifetime, 10) * 1000).toISOString();
  return answersJson(200, { accessToken: tokenOf(account), expireTime });
}

/** The token of a service account, which its bearer is known by. */
export function tokenOf(account: string): string {
  return `opaque-canary.${Buffer.from(account).toString("base64url")}`;
}

/** As a policy names the bearer of the request's token. */
export function whoIs({ headers }: Pick<Asked, "headers">): string {
  const account = /^Bearer opaque-canary\.(.+)$/.exec(headers.authorization ?? "")?.[1];
  return account === undefined ? "federated" : `serviceAccount:${Buffer.from(account, "base64url").toString()}`;
}

export function denied(): Reply {
  return answersJson(403, { error: { code: 403, status: "PERMISSION_DENIED", message: "Permission denied" } });
}

/** An answer that comes a while after `act`, which takes as long. */
export function takesLong(act: () => void): Reply {
  return (asked, response) => {
    setTimeout(() => {
      act();
      answersJson(200, { etag: "x" })(asked, response);
    }, 100);
  };
}

function conflict(holder: string): Reply {
  if (holder.startsWith("b/")) {
    const errors = [{ reason: "conditionNotMet", message: "Precondition Failed" }];
    return answersJson(412, { error: { code: 412, message: "Precondition Failed", errors } });
  }
  const message = "There were concurrent policy changes.";
  return answersJson(409, { error: { code: 409, status: "ABORTED", message } });
}

/** A clock that goes on by what is slept, on top of the real one; `pace` is how much of that is waited for indeed. */
export function sleepingRuntime(env: Environment, pace = 0) {
  let slept = 0;
  return fakeRuntime({
    env,
    fetch: fetchOverHttp,
    now: () => Date.now() + slept,
    sleep: async (ms) => {
      slept += ms;
      await new Promise((resolve) => (pace === 0 ? setImmediate(resolve) : setTimeout(resolve, ms * pace)));
    },
    random: Math.random,
  });
}

const EXCHANGE = { attempts: 2, requestMs: 2_000 };
export const OPEN_FAST: OpenLimits = { exchange: EXCHANGE, change: { attempts: 100, changeMs: 180_000 } };
export const END_FAST: TakeBackLimits = {
  exchange: EXCHANGE,
  change: { attempts: 100, changeMs: 180_000 },
  removeMs: 20_000,
  entitlementMs: 30_000,
  watchMs: 30_000,
  secondLookMs: 10,
  ownSecondLookMs: 10,
};

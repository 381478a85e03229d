import { serviceUrls } from "../clouds/index.js";
import { formatDuration } from "../core/durations.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import type { Check } from "./check.js";
import type { Examination, Trial } from "./examination.js";
import { type Finding, fail, note, ok, warn } from "./finding.js";

/** Beyond this a fence is set anew by the cloud's clock. */
const NOTICED_SECONDS = 30;
/** Beyond this AWS refuses a signature, and the others a token's times. */
const BEARABLE_SECONDS = 300;
const TIMEOUT_MS = 10_000;
const HINT = "set this machine's clock, and keep it set (NTP)";

/** Somebody else's clock: what to call it, and where it is asked. */
interface Clock {
  readonly whose: string;
  readonly url: string;
}

export const checkClock: Check = {
  name: "clock",
  async run(examination) {
    const trial = await examination.trial();
    const clocks = [...(await cloudClocks(trial, examination)), ...(await issuerClocks(trial, examination))];
    return Promise.all(clocks.map((clock) => compare(clock, examination.runtime)));
  },
};

async function cloudClocks({ profile }: Trial, { runtime }: Examination): Promise<Clock[]> {
  return (await serviceUrls(profile, runtime)).map(({ cloud, url }) => ({ whose: cloud, url }));
}

/**
 * Not where a cloud is asked at another address than its own: there, as in the sandbox, the issuer's name is borrowed.
 * Of an identity that is not there the check of that name tells.
 */
async function issuerClocks({ plans }: Trial, examination: Examination): Promise<Clock[]> {
  if (plans.some(({ endpoints }) => endpoints.length > 0)) return [];
  const { tokens } = await examination.identity().catch(() => ({ tokens: [] }));
  const issuers = new Set(tokens.flatMap(({ token }) => token?.issuer ?? []));
  return [...issuers].filter(isAskable).map((issuer) => ({ whose: "the issuer", url: discoveryOf(issuer) }));
}

/** An issuer's name comes from a token that nobody has vouched for. */
function isAskable(issuer: string): boolean {
  return URL.canParse(issuer) && new URL(issuer).protocol === "https:";
}

/** OpenID Connect Discovery 1.0 §4: after the issuer's own path. */
function discoveryOf(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** By the Date header (RFC 9110 §6.6.1), whatever the answer is; it tells whole seconds. */
async function compare({ whose, url }: Clock, runtime: Runtime): Promise<Finding> {
  const { host } = new URL(url);
  const askedAt = runtime.now();
  let theirs: number;
  try {
    const answer = await runtime.fetch({ url, timeoutMs: TIMEOUT_MS });
    theirs = Date.parse(answer.headers["date"] ?? "");
  } catch (error) {
    return note(`the clock of ${whose} was not seen: ${host}: ${explainSystemError(error)}`);
  }
  if (Number.isNaN(theirs)) return note(`the clock of ${whose} was not seen: ${host} tells no date`);
  return judge(whose, host, theirs + 500 - (askedAt + runtime.now()) / 2);
}

function judge(whose: string, host: string, aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const off = `${formatDuration(seconds)} ${aheadMs > 0 ? "behind" : "ahead of"} ${whose} (${host})`;
  if (seconds <= NOTICED_SECONDS) return ok(`within ${seconds + 1} s of ${whose} (${host})`, { host, seconds });
  if (seconds <= BEARABLE_SECONDS) return warn("PLATFORM", `this machine's clock is ${off}`, HINT);
  return fail("PLATFORM", `this machine's clock is ${off}: signatures and tokens are refused`, HINT);
}

import { formatInstant } from "../core/durations.js";
import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Identity } from "../core/identity.js";
import type { Grant } from "../core/lease.js";
import type { Observe } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import type { Account } from "./account.js";
import { appendRenewal, appendRenewalFailure, appendRequest, type RecordedRequest } from "./lease-events.js";

/** What happens to a lease while its command runs, put on record, and told where the user should know. */
export interface HappeningRecorder {
  renewed(grant: Grant, identity: Identity | undefined): void;
  renewalFailed(held: Grant, error: AgentctlError): void;
  recovered(grant: Grant): void;
  /** Writes down what has changed, for those who read it in a file; a failure is told, and ends nothing. */
  attempt(step: () => void): void;
  requestRefused(request: RecordedRequest): void;
  /** Resolves when all of it is on record. Never rejects. */
  settle(): Promise<void>;
}

/** Somebody else than the command's own programs has the address: that is news even to who wants none. */
const ALARMING = ["stranger", "browser", "foreign-host"];

/** The command is not held up for a record: one that could not be kept is a warning, told once. */
export function recordHappenings(account: Account, observe: Observe, runtime: Runtime): HappeningRecorder {
  const writing = new Set<Promise<unknown>>();
  const told = new Set<string>();
  const warnOnce = (text: string): void => {
    if (!told.has(text)) observe({ kind: "warning", text });
    told.add(text);
  };
  let hasFailed = false;
  const keep = (record: Promise<unknown>): void => {
    const written = record
      .catch((thrown: unknown) => {
        if (!hasFailed) observe({ kind: "warning", text: `not on record: ${toAgentctlError(thrown).message}` });
        hasFailed = true;
      })
      .finally(() => writing.delete(written));
    writing.add(written);
  };
  return {
    renewed: (grant, identity) => keep(appendRenewal(account, { grant, ...(identity && { identity }) }, runtime)),
    renewalFailed: (held, error) => {
      const until = formatInstant(held.usableUntil);
      const text = `${held.cloud}: cannot be renewed (${error.code}: ${error.message}); usable until ${until}, trying again`;
      observe({ kind: "warning", text });
      keep(appendRenewalFailure(account, { held, error }, runtime));
    },
    recovered: ({ cloud, usableUntil }) =>
      observe({ kind: "notice", text: `${cloud}: renewed after all, usable until ${formatInstant(usableUntil)}` }),
    attempt: (step) => {
      try {
        step();
      } catch (thrown) {
        const { code, message } = toAgentctlError(thrown);
        warnOnce(`a change of the lease could not be written down (${code}: ${message})`);
      }
    },
    requestRefused: (request) => {
      if (ALARMING.includes(request.reason)) {
        observe({ kind: "warning", text: `the endpoint refused a request${originOf(request)}: ${request.message}` });
      }
      keep(appendRequest(account, request, runtime));
    },
    settle: async () => {
      await Promise.all(writing);
    },
  };
}

/** Whose it was, as far as it can be seen, and what for. */
function originOf({ cloud, peer }: RecordedRequest): string {
  const program = peer?.program === undefined ? "" : ` (${peer.program})`;
  return `${cloud === undefined ? "" : ` for ${cloud}`}${peer === undefined ? "" : ` by process ${peer.pid}${program}`}`;
}

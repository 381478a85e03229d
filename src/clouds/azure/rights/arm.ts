import { AgentctlError } from "../../../core/errors.js";
import type { HttpRequest, Runtime } from "../../../core/runtime.js";
import type { Secret } from "../../../core/secret.js";
import { askService, type ExchangeLimits } from "../../exchange/exchange.js";
import { fieldOf, textOf, type Wire } from "../../exchange/wire.js";
import { armService, azureCodeOf } from "./arm-service.js";
import type { ResourceManager } from "./resource-manager.js";

/** A page of a list can hold a thousand entries. */
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;
const MOST_PAGES = 50;

/** Who asks Azure Resource Manager, and until when. */
export interface ArmCaller {
  readonly manager: ResourceManager;
  readonly clientId: string;
  readonly token: Secret;
  readonly signal: AbortSignal;
  readonly limits: ExchangeLimits;
  /** Told of each time that Azure is asked. */
  onTry?(): void;
}

/**
 * Azure Resource Manager, by the token of one application. Paths are resource ids and what follows, with a query, not
 * encoded; `what` says what is tried, such as `read its role assignments`.
 * @throws {AgentctlError} as `askService` does; CLOUD_DENIED has Azure's own code as the fact `azureCode`
 */
export interface Arm {
  get(path: string, query: Query, what: string): Promise<unknown>;
  /** Undefined where there is none. */
  find(path: string, query: Query, what: string): Promise<unknown>;
  list(path: string, query: Query, what: string): Promise<readonly unknown[]>;
  /** Not cut off once it was sent: what was given must not come to be known as never given. */
  put(path: string, query: Query, body: object, what: string): Promise<unknown>;
  delete(path: string, query: Query, what: string): Promise<void>;
  /** How far Azure's clock is ahead of this machine's, as far as is known by now. */
  readonly clockAheadMs: number;
  /** Whether Azure has told its time. */
  readonly isClockKnown: boolean;
}

interface Clock {
  aheadMs?: number;
}

export type Query = Readonly<Record<string, string>>;

export function openArm(caller: ArmCaller, runtime: Runtime): Arm {
  const { manager } = caller;
  const clock: Clock = {};
  const urlOf = (path: string, query: Query) =>
    `${manager.url}${path.split("/").map(encodeURIComponent).join("/")}?${queryText(query)}`;
  const send = (request: HttpRequest, what: string) => sendOne(request, what, caller, clock, runtime);
  const get: Arm["get"] = (path, query, what) => send({ url: urlOf(path, query) }, what);
  return {
    get clockAheadMs() {
      return clock.aheadMs ?? 0;
    },
    get isClockKnown() {
      return clock.aheadMs !== undefined;
    },
    get,
    async find(path, query, what) {
      try {
        return await get(path, query, what);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list(path, query, what) {
      const entries: unknown[] = [];
      let url: string | undefined = urlOf(path, query);
      for (let page = 0; url !== undefined && page < MOST_PAGES; page += 1) {
        const json = await send({ url }, what);
        const value = fieldOf(json, "value");
        entries.push(...(Array.isArray(value) ? value : senseless("a list")));
        url = textOf(json, "nextLink");
      }
      // What is on the pages that were not read must not be taken for nothing.
      return url === undefined ? entries : senseless("a list that ends");
    },
    put(path, query, body, what) {
      return send({ url: urlOf(path, query), method: "PUT", body: JSON.stringify(body) }, what);
    },
    async delete(path, query, what) {
      await send({ url: urlOf(path, query), method: "DELETE" }, what);
    },
  };
}

function sendOne(
  request: HttpRequest,
  what: string,
  caller: ArmCaller,
  clock: Clock,
  runtime: Runtime,
): Promise<unknown> {
  const { manager, clientId, token, signal, limits, onTry = () => {} } = caller;
  const exchange = {
    service: () => armService({ manager, clientId, what, token }),
    origins: [new URL(manager.url).origin],
    maxBytes: LONGEST_ANSWER_BYTES,
    // What is read can be left; what is written is waited for.
    isFinished: request.method !== undefined,
    async ask(wire: Wire) {
      if (signal.aborted) throw interruption(signal);
      onTry();
      const headers = { authorization: `Bearer ${token.reveal()}`, "content-type": "application/json" };
      const { status } = await wire.send({ ...request, headers });
      const answer = wire.last?.kind === "answer" ? wire.last : undefined;
      if (answer?.clockAheadMs !== undefined) clock.aheadMs = answer.clockAheadMs;
      if (status === 204 && request.method === "DELETE") return undefined;
      if (status < 200 || status > 299 || answer?.json === undefined) throw new Error(`status ${status}`);
      return answer.json;
    },
  };
  return askService(exchange, { signal }, runtime, limits);
}

/** @throws {AgentctlError} BAD_ANSWER: by what is no answer to the question, nothing must be taken for gone */
export function senseless(what: string): never {
  throw new AgentctlError("BAD_ANSWER", `Azure Resource Manager answered with what is not ${what}`, {
    hint: "check the endpoint in use, and whether a proxy answers in its place",
  });
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while Azure was asked");
}

/** A subscription that is not found may only be one that the tenant does not see. */
function isNotFound(thrown: unknown): boolean {
  const code = azureCodeOf(thrown) ?? "SubscriptionNotFound";
  return code !== "SubscriptionNotFound" && /(NotFound|DoesNotExist)$/.test(code);
}

function queryText(query: Query): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}

import { AgentctlError } from "../../../core/errors.js";
import type { IssueContext } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Secret } from "../../../core/secret.js";
import { askService, type ExchangeLimits } from "../../exchange/exchange.js";
import type { Refusal, Service } from "../../exchange/failed-try.js";
import type { Wire, WireAnswer } from "../../exchange/wire.js";
import { readGoogleRefusal } from "../google-refusal.js";
import type { PolicyRequest } from "./resources.js";
import { type RightsService, resolveRightsEndpoint, titleOfService } from "./rights-endpoints.js";

/** A policy holds up to 1,500 members, and a list of grants a hundred of them. */
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** Who asks. */
export interface Bearer {
  /** Such as the granter's e-mail address. */
  readonly who: string;
  readonly token: Secret;
  /** By this machine's clock, epoch ms. */
  readonly expiresAt: number;
}

/** How the services are asked. */
export interface Asking extends Pick<IssueContext, "signal"> {
  readonly runtime: Runtime;
  readonly limits: ExchangeLimits;
}

export interface RightsQuestion<T> {
  readonly service: RightsService;
  readonly request: PolicyRequest;
  /** What is asked for, such as `storage.buckets.setIamPolicy on //…`. */
  readonly action: string;
  readonly hintFor: (refusal: Refusal) => string;
  /** Statuses besides success that are an answer. */
  readonly accepted?: readonly number[];
  /** Throws a plain Error for what makes no sense. `googleNow` is by Google's clock, epoch ms. */
  readonly read: (answer: WireAnswer, googleNow: number) => T;
}

/**
 * Asks one of the services that rights are given by.
 * @throws {AgentctlError} as `askService` does; CLOUD_DENIED with `googleCode` in its facts
 */
export function askRights<T>(question: RightsQuestion<T>, bearer: Bearer, asking: Asking): Promise<T> {
  const { signal, runtime, limits } = asking;
  const { baseUrl } = resolveRightsEndpoint(question.service, runtime);
  const exchange = {
    service: () => wordsOf(question, bearer, runtime),
    origins: [new URL(baseUrl).origin],
    maxBytes: LONGEST_ANSWER_BYTES,
    ask: (wire: Wire) => send(question, bearer, wire, baseUrl, runtime),
  };
  return askService(exchange, { signal }, runtime, limits);
}

async function send<T>(
  { request, accepted = [], read }: RightsQuestion<T>,
  { token }: Bearer,
  wire: Wire,
  baseUrl: string,
  runtime: Pick<Runtime, "now">,
): Promise<T> {
  const { method, path, body } = request;
  await wire.send({
    url: `${baseUrl}${path}`,
    method,
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json; charset=utf-8" }),
    },
    // Google answers a POST without a length with 411.
    ...(method !== "GET" && { body: body === undefined ? "" : JSON.stringify(body) }),
  });
  const answer = wire.last;
  if (answer?.kind !== "answer") throw new Error("there is no answer");
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (!isSuccess && !accepted.includes(answer.status)) throw new Error("it was refused");
  return read(answer, runtime.now() + (answer.clockAheadMs ?? 0));
}

function wordsOf<T>(
  { service, action, hintFor }: RightsQuestion<T>,
  { who, token }: Bearer,
  runtime: Pick<Runtime, "env">,
): Service {
  const { baseUrl, override } = resolveRightsEndpoint(service, runtime);
  const name = titleOfService(service);
  return {
    place: override === undefined ? name : `${name} at ${override.url} (${override.variable})`,
    facts: { endpoint: baseUrl, action },
    secrets: [token],
    readRefusal: readGoogleRefusal,
    explainRefusal: (refusal, facts) =>
      new AgentctlError("CLOUD_DENIED", `${name} refused ${action} to ${who}: ${refusal.text} (${refusal.code})`, {
        facts,
        hint: isDisabled(refusal)
          ? `enable ${service === "pam" ? "privilegedaccessmanager" : service}.googleapis.com in the project of ${who}`
          : hintFor(refusal),
      }),
  };
}

function isDisabled({ text, facts }: Refusal): boolean {
  return facts["reason"] === "SERVICE_DISABLED" || /has not been used in project/i.test(text);
}

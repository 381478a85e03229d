import type { EndpointAnswer, EndpointPlace, EndpointQuestion, EndpointRefusal } from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { Secret } from "../../core/secret.js";

/** One of the ways in which Azure's tools ask for a token, at a path of its own below the cloud's. */
export interface AzureProtocol {
  variables(place: EndpointPlace): Readonly<Record<string, string | Secret>>;
  /** Whether a path has this protocol's form; whether what is secret in it is right, `authorize` says. */
  owns(path: string): boolean;
  authorize(question: EndpointQuestion, place: EndpointPlace): boolean;
  answer(question: EndpointQuestion, grant: Grant): EndpointAnswer | EndpointRefusal;
  refuse(refusal: EndpointRefusal): EndpointAnswer;
}

/** An answer in JSON, which all of the protocols speak. */
export function answerJson(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): EndpointAnswer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

export function refuseWith(reason: EndpointRefusal["reason"], message: string): EndpointRefusal {
  return { reason, message };
}

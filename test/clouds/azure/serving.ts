import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { serveAzure } from "../../../src/clouds/azure/serve.js";
import type {
  CloudEndpoint,
  EndpointAnswer,
  EndpointPlace,
  EndpointQuestion,
  EndpointRefusal,
} from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import { Secret } from "../../../src/core/secret.js";
import { ARM_SCOPE, azureSettings, CLIENT, TENANT } from "./fake-entra.js";

export const STORAGE_SCOPE = "https://storage.azure.com/.default";
export const NOW = Date.parse("2026-11-22T10:00:00Z");
export const SECRET = "s".repeat(43);

export function placeAt(url: string): EndpointPlace {
  return { url, secret: new Secret(SECRET), dir: "/private/l-1" };
}

export const PLACE: EndpointPlace = placeAt("http://127.0.0.1:1234/unguessable/azure");

/** A grant with a token `token of SCOPE` for each scope, good for an hour and some milliseconds. */
export function grantOf(scopes: readonly string[], overrides: Partial<Grant> = {}): Grant {
  const usableUntil = NOW + 3_600_400;
  const secrets = scopes.map((scope) => [scope, { value: new Secret(`token of ${scope}`), usableUntil }] as const);
  return {
    cloud: "azure",
    channel: "endpoint",
    principal: `application ${CLIENT} in tenant ${TENANT}`,
    issuedAt: NOW,
    usableUntil,
    expiresAt: usableUntil,
    variables: {},
    secrets: Object.fromEntries(secrets),
    facts: { authority: "https://login.microsoftonline.com" },
    ...overrides,
  };
}

export interface Asking {
  readonly method?: string;
  /** With its query; a whole address is one of `variables`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Asked extends EndpointAnswer {
  readonly json: Record<string, unknown>;
  readonly refusal?: EndpointRefusal;
}

export function openRoom(overrides: Partial<AzureSettings> = {}, grant?: Grant) {
  const settings = azureSettings({ scopes: [ARM_SCOPE, STORAGE_SCOPE], ...overrides });
  const endpoint = serveAzure(settings, { now: () => NOW });
  const held = grant ?? grantOf(settings.scopes);
  const variables = Object.fromEntries(
    Object.entries(endpoint.variables(PLACE)).map(([name, value]) => [name, String(revealed(value))]),
  );
  const files = endpoint.files(PLACE, held);
  return { endpoint, variables, files, ask: (asking: Asking) => ask(endpoint, asking, held, PLACE) };
}

export function revealed(value: string | Secret | undefined): string | undefined {
  return value instanceof Secret ? value.reveal() : value;
}

/** What the lease's server does with a question that has come in at the right place. */
function ask(endpoint: CloudEndpoint, asking: Asking, grant: Grant, place: EndpointPlace): Asked {
  const url = new URL(asking.url.replace(place.url, ""), "http://127.0.0.1");
  const question: EndpointQuestion = {
    method: asking.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: asking.headers ?? {},
    body: asking.body ?? "",
  };
  const unauthorized = { reason: "unauthorized", message: "who are you?" } as const;
  const said = endpoint.authorize(question, place) ? endpoint.answer(question, grant, place) : unauthorized;
  if (!("reason" in said)) return { ...said, json: JSON.parse(said.body) };
  const answer = endpoint.refuse(question, said);
  return { ...answer, json: JSON.parse(answer.body), refusal: said };
}

export interface Served {
  readonly url: string;
  /** `METHOD path` of each question, in their order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Serves a room on loopback for libraries that this project did not write. */
export async function serveOverHttp(endpoint: CloudEndpoint, grant: () => Grant | EndpointRefusal): Promise<Served> {
  const asked: string[] = [];
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    const { address, port } = server.address() as AddressInfo;
    const url = new URL(request.url ?? "/", `http://${address}:${port}`);
    asked.push(`${request.method} ${url.pathname}`);
    const question = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers as Record<string, string | undefined>,
      body,
    };
    const answer = answerWith(endpoint, question, grant(), placeAt(url.origin));
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

function answerWith(
  endpoint: CloudEndpoint,
  question: EndpointQuestion,
  held: Grant | EndpointRefusal,
  place: EndpointPlace,
): EndpointAnswer {
  if (!endpoint.authorize(question, place)) {
    return endpoint.refuse(question, { reason: "unauthorized", message: "who are you?" });
  }
  const said = "reason" in held ? held : endpoint.answer(question, held, place);
  return "reason" in said ? endpoint.refuse(question, said) : said;
}

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach } from "vitest";
import type {
  CloudEndpoint,
  EndpointAnswer,
  EndpointPlace,
  EndpointQuestion,
  EndpointRefusal,
} from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";

export const SECRET = "endpoint-secret-canary-0123456789";
export const PLACE: EndpointPlace = {
  url: "http://127.0.0.1:1/unguessable/cloud",
  secret: new Secret(SECRET),
  dir: "/private/l-1",
};

export interface Served {
  readonly place: EndpointPlace;
  /** Revealed: what the child would find. */
  readonly variables: Readonly<Record<string, string>>;
  /** `METHOD path` of each question, in their order. */
  readonly asked: readonly string[];
  /** Where the metadata server is, when there is one. */
  readonly metadataHost: string;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((clean) => clean()));
});

export function question(overrides: Partial<EndpointQuestion> = {}): EndpointQuestion {
  return { method: "GET", path: "", query: new URLSearchParams(), headers: {}, body: "", ...overrides };
}

/** What the lease's server makes of a question that has come in at the right place. */
export function ask(
  endpoint: CloudEndpoint,
  asked: EndpointQuestion,
  held: Grant | EndpointRefusal,
  place: EndpointPlace,
): EndpointAnswer {
  if (!endpoint.authorize(asked, place)) {
    return endpoint.refuse(asked, { reason: "unauthorized", message: "who are you?" });
  }
  const said = "reason" in held ? held : endpoint.answer(asked, held, place);
  return "reason" in said ? endpoint.refuse(asked, said) : said;
}

function askMetadata(endpoint: CloudEndpoint, asked: EndpointQuestion, held: Grant | EndpointRefusal): EndpointAnswer {
  if (endpoint.metadata === undefined) throw new Error("there is no metadata server");
  const said = "reason" in held ? held : endpoint.metadata.answer(asked, held);
  return "reason" in said ? endpoint.metadata.refuse(asked, said) : said;
}

/** Serves a room on loopback, with its files on disk, until the test is over: for libraries that are not ours. */
export async function serveOverHttp(endpoint: CloudEndpoint, held: () => Grant | EndpointRefusal): Promise<Served> {
  const dir = mkdtempSync(path.join(tmpdir(), "agentctl-serving-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const asked: string[] = [];
  const base = await listen(asked, (one) => ask(endpoint, one, held(), place));
  const place: EndpointPlace = { url: `${base}/lease/${endpoint.cloud}`, secret: new Secret(SECRET), dir };
  const metadataHost = new URL(await listen(asked, (one) => askMetadata(endpoint, one, held()))).host;
  const grant = held();
  const files = "reason" in grant ? {} : endpoint.files(place, grant);
  for (const [name, value] of Object.entries(files)) writeFileSync(path.join(dir, name), revealed(value));
  const variables = Object.fromEntries(
    Object.entries(endpoint.variables(place)).map(([name, value]) => [name, revealed(value)]),
  );
  return { place, variables, asked, metadataHost };
}

/** Answers with what `answer` gives; the questions' paths begin after `/lease/CLOUD`. */
async function listen(asked: string[], answer: (one: EndpointQuestion) => EndpointAnswer): Promise<string> {
  const listener: RequestListener = async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const one: EndpointQuestion = {
      method: request.method ?? "",
      path: url.pathname.replace(/^\/lease\/[a-z]+/, ""),
      query: url.searchParams,
      headers: request.headers as Record<string, string | undefined>,
      body: await text(request),
    };
    asked.push(`${one.method} ${one.path}`);
    const { status, headers, body } = answer(one);
    response.writeHead(status, headers).end(body);
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => void server.close(() => resolve(undefined)).closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function revealed(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}

/** Runs a script in a Node process with a home of its own and no other environment, in this repository; answers what it printed as JSON. */
export async function runNode(script: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const home = mkdtempSync(path.join(tmpdir(), "agentctl-home-"));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    // No PATH: Google's library would ask gcloud for the project, and that makes files of its own.
    env: { PATH: home, HOME: home, ...env },
    cwd: path.join(import.meta.dirname, "..", "..", ".."),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [printed, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (printed === "") throw new Error(complaints);
  return JSON.parse(printed);
}

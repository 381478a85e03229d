import fs from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { makeCertificates } from "../../../src/sandbox/certificates.js";
import { CanarySearch } from "./canary-search.js";
import type { EchoAnswer } from "./echo-service.js";
import type { LeakStage } from "./leak-stage.js";

/** A question that passes on its way to the sandbox, in the words in which it was asked. */
export interface Passing {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly form: URLSearchParams;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** The whole header by which it is authorized; where there is none, the token that was sent. */
  readonly secret: string;
}

/** Answers in the sandbox's place; undefined lets the question pass. */
export type Rule = (asked: Passing) => EchoAnswer | undefined | Promise<EchoAnswer | undefined>;

/** Azure and Google Cloud of the sandbox, each token of which reaches agentctl as a canary. */
export interface TappedClouds {
  /** To be run with, besides the stage's own. */
  readonly env: Readonly<Record<string, string>>;
  /** What was issued so far, by whom it is of: none of it is outside of agentctl but what its command is given. */
  readonly tokens: CanarySearch;
  /** The names of them, as they were issued. */
  issued(): readonly string[];
  /** From here on; without a rule all questions pass. */
  intercept(rule?: Rule): void;
  close(): Promise<void>;
}

type Cloud = "azure" | "gcp";

export async function tapClouds(leak: LeakStage): Promise<TappedClouds> {
  const { stage, search } = leak;
  const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
  const sandboxCa = fs.readFileSync(stage.sandbox.caFile, "utf8");
  const tls = { cert: serverPem, key: serverKeyPem };
  const agent = new Agent({ ca: sandboxCa, keepAlive: true });
  const mask = openMask(new CanarySearch(search));
  let rule: Rule = () => undefined;
  const open = (cloud: Cloud, origin: string) =>
    openTap(tls, async (asked, tap) => {
      const answer = await rule(asked);
      if (answer !== undefined) return answer;
      const { status, headers, body } = await forward(asked, origin, agent, mask);
      return { status, headers, body: mask.hide(body.replaceAll(origin, tap), nameOwner(cloud, asked)) };
    });
  const origins = { azure: stage.env["AZURE_AUTHORITY_HOST"] ?? "", gcp: stage.env["AGENTCTL_SANDBOX_GCS_URL"] ?? "" };
  const [azure, gcp] = await Promise.all([open("azure", origins.azure), open("gcp", origins.gcp)]);
  const ca = stage.writeFile("both-ca.pem", `${sandboxCa}${caPem}`);
  const moved = Object.entries(stage.env).flatMap(([name, value]) => {
    if (!/^(AZURE_|CLOUDSDK_API_ENDPOINT_OVERRIDES_)/.test(name)) return [];
    return [[name, value.replace(origins.azure, azure.url).replace(origins.gcp, gcp.url)] as const];
  });
  return {
    env: { ...Object.fromEntries(moved), NODE_EXTRA_CA_CERTS: ca },
    tokens: mask.tokens,
    issued: mask.names,
    intercept: (next = () => undefined) => {
      rule = next;
    },
    close: async () => {
      agent.destroy();
      await Promise.all([azure.close(), gcp.close()]);
    },
  };
}

/** Whose token a good answer holds. */
function nameOwner(cloud: Cloud, { path: asked, form }: Passing): string {
  if (cloud === "azure") return `${form.get("client_id")} for ${form.get("scope")}`;
  return /serviceAccounts\/([^:]+):generateAccessToken/.exec(asked)?.[1] ?? "the federation";
}

interface Mask {
  readonly tokens: CanarySearch;
  names(): readonly string[];
  /** The answer with canaries in the place of its tokens. */
  hide(text: string, owner: string): string;
  /** What was asked for, with the tokens in the place of their canaries. */
  reveal(text: string): string;
}

const TOKEN_FIELD = /("(?:access_token|accessToken)"\s*:\s*")([^"]+)(")/g;

function openMask(tokens: CanarySearch): Mask {
  const real = new Map<string, string>();
  const names: string[] = [];
  const plant = (token: string, owner: string): string => {
    names.push(owner);
    const canary = tokens.plant(`token ${names.length}, of ${owner}`);
    real.set(canary, token);
    // What a JWT says of its application is read, and is no secret: as a canary the signature is enough.
    const [header, payload, signature] = token.split(".");
    return signature === undefined || !token.startsWith("eyJ") ? canary : `${header}.${payload}.${canary}`;
  };
  return {
    tokens,
    names: () => names,
    hide: (text, owner) => text.replace(TOKEN_FIELD, (_, before, token, after) => before + plant(token, owner) + after),
    reveal: (text) =>
      [...real].reduce(
        (rest, [canary, token]) => rest.replace(new RegExp(`(?:eyJ[\\w.-]*\\.)?${canary}`, "g"), token),
        text,
      ),
  };
}

interface Forwarded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function forward(
  { method, path: asked, headers, body }: Passing,
  origin: string,
  agent: Agent,
  mask: Mask,
): Promise<Forwarded> {
  const own = Object.entries(headers).filter(
    ([name]) => !/^(host|connection|content-length|accept-encoding)$/.test(name),
  );
  const sent = Object.fromEntries(own.map(([name, value]) => [name, mask.reveal(String(value))]));
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${origin}${asked}`, { method, headers: sent, agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      const { "content-type": type = "application/json", date = new Date().toUTCString() } = answer.headers;
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: { "content-type": type, date }, body: text }),
      );
    });
    request.on("error", reject);
    request.end(mask.reveal(body));
  });
}

type Answer = (asked: Passing, tap: string) => Promise<EchoAnswer>;

async function openTap(tls: { readonly cert: string; readonly key: string }, answer: Answer) {
  const server = createServer(tls, async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    try {
      const asked = readPassing(request.method ?? "", request.url ?? "", request.headers, body);
      const { status, reason = "Answer", headers = {}, body: text } = await answer(asked, url);
      response.writeHead(status, reason, { ...headers });
      response.end(text);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, close };
}

function readPassing(method: string, asked: string, headers: IncomingHttpHeaders, body: string): Passing {
  const form = new URLSearchParams(headers["content-type"]?.includes("form") ? body : "");
  const secret = headers.authorization ?? form.get("client_assertion") ?? form.get("subject_token") ?? "";
  return { method, path: asked, form, body, headers, secret };
}

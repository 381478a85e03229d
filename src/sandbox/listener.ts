import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ServiceRequest } from "./service.js";

const LOOPBACK = "127.0.0.1";
/** Beyond the AWS tools' multipart threshold of 8 MiB no single upload is expected. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export type RequestHandler = (request: ServiceRequest, response: ServerResponse) => Promise<void>;

export interface Listener {
  readonly origin: string;
  /** From here on, requests are answered by `handler`. */
  handle(handler: RequestHandler): void;
  close(): Promise<void>;
}

/** Opens a free port of 127.0.0.1: over TLS with `tls`, else in the clear. */
export async function listen(tls?: { readonly cert: string; readonly key: string }): Promise<Listener> {
  const server = tls === undefined ? createServer() : createTlsServer({ ...tls, ALPNProtocols: ["http/1.1"] });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: LOOPBACK, port: 0, backlog: 1024 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? "http" : "https"}://${LOOPBACK}:${port}`,
    handle: (handler) => {
      server.on("request", (incoming: IncomingMessage, response: ServerResponse) => {
        readRequest(incoming)
          .then((request) => handler(request, response))
          .catch(() => response.destroy());
      });
    },
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function readRequest(incoming: IncomingMessage): Promise<ServiceRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error("the request is too long");
    chunks.push(chunk);
  }
  const target = incoming.url ?? "/";
  const mark = target.indexOf("?");
  return {
    method: incoming.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? {} : parseQuery(target.slice(mark + 1)),
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(",") : (value ?? ""),
      ]),
    ),
    body: Buffer.concat(chunks),
    requestId: randomUUID(),
  };
}

/** Query and form parameters; a `+` stays a plus in a query, since SigV4 signs it as `%2B` or `%20`. */
export function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = decode(mark < 0 ? pair : pair.slice(0, mark));
    const value = decode(mark < 0 ? "" : pair.slice(mark + 1));
    const before = query[name];
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return query;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

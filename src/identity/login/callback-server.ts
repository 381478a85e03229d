import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isSameSecret } from "../../core/constant-time.js";
import { AgentctlError, systemErrorCode } from "../../core/errors.js";

/** What the browser brought back from the provider. */
export interface CallbackAnswer {
  /** The redirect address with the provider's parameters. */
  readonly url: URL;
  /** Tells the browser's user how it ended. */
  respond(isDone: boolean): void;
}

export interface CallbackServer {
  readonly redirectUri: string;
  /** The first answer with the state of this login. */
  readonly answer: Promise<CallbackAnswer>;
  close(): void;
}

const HOST = "127.0.0.1";
const PATH = "/callback";
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Waits on this machine's loopback for the browser to come back (RFC 8252 §7.3). One answer with the right `state` is
 * taken; anything else gets a page that says why not, and `onStray` is told of other states.
 * @throws {AgentctlError} USAGE when the port is taken
 */
export async function openCallbackServer(port: number, state: string, onStray: () => void): Promise<CallbackServer> {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
  await listen(server, port);
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const answer = new Promise<CallbackAnswer>((resolve) => {
    let isAnswered = false;
    server.on("request", (request, response) => {
      const url = readCallback(request, origin);
      if (typeof url === "number") return sendPage(response, url, "There is nothing here.");
      if (isAnswered) return sendPage(response, 410, "This login was answered already. You can close this page.");
      if (!isSameSecret(url.searchParams.get("state") ?? "", state)) {
        onStray();
        return sendPage(response, 400, "This answer belongs to another login, and was not taken.");
      }
      isAnswered = true;
      resolve({ url, respond: (isDone) => sendPage(response, isDone ? 200 : 400, isDone ? DONE : FAILED) });
    });
  });
  return {
    redirectUri: `${origin}${PATH}`,
    answer,
    close: () => {
      server.close();
      server.closeIdleConnections();
    },
  };
}

const DONE = "You are logged in. You can close this page.";
const FAILED = "The login failed; the terminal says why. You can close this page.";

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(explainListening(cause, port)));
    server.listen(port, HOST, resolve);
  });
}

function explainListening(cause: Error, port: number): AgentctlError {
  const isTaken = systemErrorCode(cause) === "EADDRINUSE";
  const why = isTaken ? "another program listens there" : "this user may not listen there";
  return new AgentctlError("USAGE", `port ${port} of 127.0.0.1 cannot be had: ${why}`, {
    hint: "take another one that is registered with the provider, or leave --port out",
    cause,
  });
}

/** The address that was asked for, or the HTTP status that refuses it. A page of another host cannot make it ours. */
function readCallback({ method, url = "", headers }: IncomingMessage, origin: string): URL | number {
  if (`http://${headers.host}` !== origin) return 421;
  const asked = URL.canParse(url, origin) ? new URL(url, origin) : undefined;
  if (asked?.pathname !== PATH || asked.origin !== origin) return 404;
  return method === "GET" ? asked : 405;
}

/** Nothing of the request is on the page, and nothing of it goes on to another. */
function sendPage(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(`<!doctype html><html lang="en"><title>agentctl</title><p>${text}</p></html>\n`);
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { EndpointAnswer } from "../../core/endpoint.js";
import { AgentctlError, systemErrorCode } from "../../core/errors.js";
import { explainSystemError } from "../../core/private-files.js";
import type { EndpointLimits } from "./limits.js";
import { type Connections, trackConnections } from "./track-connections.js";

const LOOPBACK = "127.0.0.1";

/** An answer to send; with `cut` it is the last thing on its connection, and nothing behind the request is looked at. */
export interface Reply extends EndpointAnswer {
  readonly cut?: boolean;
}

/** Rejects when there is nobody left to answer. */
export type Serve = (incoming: IncomingMessage) => Promise<Reply>;

export interface OpenServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Whose answers are sent; to be called before anything is waited for. */
  handle(serve: Serve): void;
  /** Takes no further connection and cuts those that are open. Never throws. */
  close(): Promise<void>;
}

/**
 * A server on a free port of 127.0.0.1 that takes one request at a time from each connection. `onCut` is told of
 * each connection that was cut because what came was not HTTP, or came too slowly.
 * @throws {AgentctlError} PLATFORM when there is no such address to listen on
 */
export async function openServer(
  limits: EndpointLimits,
  onCut: (reason: "malformed" | "slow") => void,
): Promise<OpenServer> {
  const server = createServer(serverOptions(limits));
  server.timeout = limits.answerTimeoutMs;
  // Node drops what is beyond a count, and an `Origin` with it; the head's size is limited anyway.
  server.maxHeadersCount = 0;
  server.on("clientError", (error, socket) => cutClient(error, socket as Socket, onCut));
  const connections = trackConnections(server, limits.maxConnections);
  await listen(server);
  return {
    host: `${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    handle: (serve) => {
      const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
        answerOne(incoming, response, serve, connections);
      };
      // Node would otherwise answer `Expect` by itself, before the request has been looked at.
      for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, answer);
    },
    close: () => close(server, connections),
  };
}

function answerOne(incoming: IncomingMessage, response: ServerResponse, serve: Serve, connections: Connections): void {
  const { socket } = incoming;
  // None of the tools asks again before it has the answer; what does is after something else.
  if (!connections.begin(socket)) {
    socket.destroy();
    return;
  }
  serve(incoming).then(
    (reply) => {
      if (reply.cut !== true) connections.finish(socket, reply.status < 400);
      send(reply, response);
    },
    () => socket.destroy(),
  );
}

function serverOptions(limits: EndpointLimits) {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.requestTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    keepAliveTimeout: limits.keepAliveMs,
    insecureHTTPParser: false,
    noDelay: true,
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays, since an error of accept(2) must not end the process; by then it says nothing to anybody.
    server.on("error", (error) => {
      const message = `cannot listen on ${LOOPBACK}: ${explainSystemError(error)}`;
      reject(new AgentctlError("PLATFORM", message, { hint: "deliver by environment: --deliver env", cause: error }));
    });
    server.listen({ host: LOOPBACK, port: 0, backlog: 511 }, resolve);
  });
}

function send(reply: Reply, response: ServerResponse): void {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Content-Length", Buffer.byteLength(reply.body));
  if (reply.cut === true) response.setHeader("Connection", "close");
  response.writeHead(reply.status);
  response.end(reply.body);
}

/** What could not be parsed, was too long for its head, or took too long; a connection that the client reset is none. */
function cutClient(error: Error, socket: Socket, onCut: (reason: "malformed" | "slow") => void): void {
  const code = systemErrorCode(error) ?? "";
  const isSlow = code === "ERR_HTTP_REQUEST_TIMEOUT";
  if (isSlow || code.startsWith("HPE_")) onCut(isSlow ? "slow" : "malformed");
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${isSlow ? "408 Request Timeout" : "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroySoon();
}

function close(server: Server, connections: Connections): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    connections.cutAll();
  });
}

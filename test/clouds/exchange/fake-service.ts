import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What a token service was asked, as it came over the wire. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** The body, read as a form. */
  readonly form: URLSearchParams;
}

export type Reply = (asked: Asked, response: ServerResponse) => void;

export interface FakeService {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Answers on loopback with what `route` gives for a question. */
export async function startFakeService(
  route: (asked: Asked) => Reply | undefined,
  tls?: { readonly cert: string; readonly key: string },
): Promise<FakeService> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const one: Asked = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body,
        form: new URLSearchParams(body),
      };
      asked.push(one);
      const reply = route(one);
      if (reply === undefined) response.writeHead(404).end();
      else reply(one, response);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    asked,
    close: () => closeServer(server),
  };
}

/** One reply after the other, and the last one from then on. */
export function inTurn(replies: readonly Reply[]): () => Reply | undefined {
  let count = 0;
  return () => {
    const reply = replies[Math.min(count, replies.length - 1)];
    count += 1;
    return reply;
  };
}

export function answersJson(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return answers(status, JSON.stringify(body), { "content-type": "application/json; charset=utf-8", ...headers });
}

export function answers(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return (_asked, response) => response.writeHead(status, { "content-type": "text/html", ...headers }).end(body);
}

export const cutsConnection: Reply = (_asked, response) => {
  response.socket?.destroy();
};

export const cutsBody: Reply = (_asked, response) => {
  response.writeHead(200, { "content-length": 5_000, "content-type": "application/json" });
  response.write('{"access_token":"', () => response.socket?.destroy());
};

export const neverAnswers: Reply = () => {};

export const neverEndsBody: Reply = (_asked, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"access_token":"');
};

export const speaksNoHttp: Reply = (_asked, response) => {
  response.socket?.end("220 mail.example ESMTP\r\n");
};

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

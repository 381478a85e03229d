import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What STS was asked, as it came over the wire. */
export interface Asked {
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

export type Reply = (asked: Asked, response: ServerResponse) => void;

export interface FakeSts {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Speaks STS's query protocol on loopback; answers with `replies` in turn, and with the last one from then on. */
export async function startFakeSts(
  replies: readonly Reply[],
  tls?: { readonly cert: string; readonly key: string },
  host = "127.0.0.1",
): Promise<FakeSts> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const reply = replies[Math.min(asked.length, replies.length - 1)];
      const one = { params: new URLSearchParams(Buffer.concat(chunks).toString("utf8")), headers: request.headers };
      asked.push(one);
      reply?.(one, response);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? "http" : "https"}://${host}:${port}`, asked, close: () => closeServer(server) };
}

/** Gives the session that was asked for, by a clock that is `aheadMs` ahead of `now`. */
export function grants(now: () => number, aheadMs = 0): Reply {
  return ({ params }, response) => {
    const expiration = now() + aheadMs + Number(params.get("DurationSeconds")) * 1000;
    sendXml(response, 200, assumedXml(params, new Date(expiration).toISOString()));
  };
}

/** Gives a session with some of its fields changed, or left out when undefined. */
export function grantsWith(overrides: Readonly<Record<string, string | undefined>>): Reply {
  return ({ params }, response) => sendXml(response, 200, assumedXml(params, new Date().toISOString(), overrides));
}

export function refuses(status: number, code: string, message: string, headers: Record<string, string> = {}): Reply {
  return (_asked, response) =>
    sendXml(
      response,
      status,
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>` +
        `<Message>${escapeXml(message)}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
      headers,
    );
}

export function answers(status: number, body: string, type = "text/html"): Reply {
  return (_asked, response) => response.writeHead(status, { "content-type": type }).end(body);
}

export const cutsConnection: Reply = (_asked, response) => {
  response.socket?.destroy();
};

export const cutsBody: Reply = (_asked, response) => {
  response.writeHead(200, { "content-length": 5_000 });
  response.write("<AssumeRole", () => response.socket?.destroy());
};

export const neverAnswers: Reply = () => {};

export const neverEndsBody: Reply = (_asked, response) => {
  response.writeHead(200);
  response.write("<AssumeRole");
};

export const speaksNoHttp: Reply = (_asked, response) => {
  response.socket?.end("220 mail.example ESMTP\r\n");
};

function assumedXml(
  params: URLSearchParams,
  expiration: string,
  overrides: Readonly<Record<string, string | undefined>> = {},
): string {
  const action = params.get("Action") ?? "";
  const session = params.get("RoleSessionName") ?? "";
  const role = params.get("RoleArn") ?? "";
  const fields: Record<string, string | undefined> = {
    AccessKeyId: `ASIA${action.length}CANARY`,
    SecretAccessKey: `secret-canary-of-${role}`,
    SessionToken: `session-canary-of-${role}`,
    Expiration: expiration,
    AssumedRoleId: `AROAEXAMPLE:${session}`,
    Arn: `${role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${session}`,
    PackedPolicySize: "7",
    ...overrides,
  };
  const xml = (...names: string[]) =>
    names.map((name) => (fields[name] === undefined ? "" : `<${name}>${fields[name]}</${name}>`)).join("");
  return (
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
    `<AssumedRoleUser>${xml("AssumedRoleId", "Arn")}</AssumedRoleUser>` +
    `<Credentials>${xml("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}</Credentials>` +
    `${xml("PackedPolicySize")}</${action}Result></${action}Response>`
  );
}

export function sendXml(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "text/xml", ...headers }).end(body);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

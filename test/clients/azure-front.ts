// @peculiar/x509 resolves its parts through decorators, which need this polyfill loaded first.
import "reflect-metadata";
import { createHash, KeyObject, webcrypto } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, request } from "node:https";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import * as x509 from "@peculiar/x509";

const LOOPBACK = "127.0.0.1";
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** One request that came by, without its token. */
export interface PassedRequest {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** 16 hex digits of the SHA-256 of what it was authorized with; undefined when there was nothing. */
  readonly credential?: string;
}

export interface AzureFront {
  /** For HTTPS_PROXY. */
  readonly proxyUrl: string;
  /** What its certificate is to be trusted by, PEM. */
  readonly caPem: string;
  requests(): readonly PassedRequest[];
  close(): Promise<void>;
}

/** Where a host's requests go, or an answer in JSON to each of them. */
export type Backing = { readonly origin: string; readonly caPem: string } | { readonly json: unknown };

/** Stands where Azure's own hosts are, for a client that has no setting for another address: a proxy with their names. */
export async function startAzureFront(hosts: Readonly<Record<string, Backing>>): Promise<AzureFront> {
  const { certPem, keyPem } = await makeCertificate(Object.keys(hosts));
  const passed: PassedRequest[] = [];
  const tls = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ["http/1.1"] }, (incoming, outgoing) => {
    const host = incoming.headers.host ?? "";
    outgoing.on("finish", () => passed.push(describe(host, incoming, outgoing)));
    const backing = hosts[host];
    if (backing === undefined) outgoing.writeHead(502).end();
    else if ("json" in backing)
      outgoing.setHeader("content-type", "application/json").end(JSON.stringify(backing.json));
    else passOn(incoming, outgoing, backing);
  });
  const tlsPort = await listen(tls);
  const sockets = new Set<Socket>();
  const proxy = createServer((_incoming, outgoing) => outgoing.writeHead(405).end());
  proxy.on("connect", (_request, client: Socket) => {
    const inner = connect(tlsPort, LOOPBACK, () => client.write("HTTP/1.1 200 Connection Established\r\n\r\n"));
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy()).on("close", () => sockets.delete(socket));
    }
  });
  const proxyUrl = `http://${LOOPBACK}:${await listen(proxy)}`;
  return {
    proxyUrl,
    caPem: certPem,
    requests: () => [...passed],
    close: async () => {
      const closed = Promise.all([tls, proxy].map((server) => new Promise((resolve) => server.close(resolve))));
      for (const socket of sockets) socket.destroy();
      for (const server of [tls, proxy]) server.closeAllConnections();
      await closed;
    },
  };
}

function passOn(incoming: IncomingMessage, outgoing: ServerResponse, backing: { origin: string; caPem: string }): void {
  const { method, url = "/", headers } = incoming;
  const sent = request(`${backing.origin}${url}`, { method, headers, ca: backing.caPem, servername: "localhost" });
  sent.on("response", (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  sent.on("error", () => outgoing.destroy());
  incoming.pipe(sent);
}

function describe(host: string, { method = "", url = "", headers }: IncomingMessage, { statusCode }: ServerResponse) {
  const { authorization } = headers;
  const mark = authorization && createHash("sha256").update(authorization).digest("hex").slice(0, 16);
  return { host, method, path: url, status: statusCode, ...(mark !== undefined && { credential: mark }) };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  return (server.address() as AddressInfo).port;
}

async function makeCertificate(names: readonly string[]): Promise<{ certPem: string; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=agentctl test front",
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: EC,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })))],
  });
  const keyPem = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }) as string;
  return { certPem: `${certificate.toString("pem")}\n`, keyPem };
}

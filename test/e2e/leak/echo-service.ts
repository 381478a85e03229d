import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What a question held that nobody else may see. */
export interface Asked {
  readonly operation: string;
  /** Without the query. */
  readonly path: string;
  readonly form: URLSearchParams;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** The OIDC token, or for a further step the session or access token of the step before; for a token service its bearer. */
  readonly secret: string;
}

export interface EchoAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Echo = (asked: Asked) => EchoAnswer;

export interface EchoService {
  readonly url: string;
  /** What is answered from here on. */
  answer(echo: Echo): void;
  close(): Promise<void>;
}

/** A service on loopback, with `tls` over TLS, that repeats what it was told in confidence, as a broken or hostile one would. */
export async function startEchoService(tls?: { readonly cert: string; readonly key: string }): Promise<EchoService> {
  let echo: Echo = () => ({ status: 404, body: "" });
  const listener: RequestListener = async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    const {
      status,
      reason = "Answer",
      headers = { "content-type": "text/xml" },
      body: text,
    } = echo(readAsked((request.url ?? "").replace(/\?.*/, ""), request.headers, body));
    response.writeHead(status, reason, { ...headers });
    response.end(text);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (next) => {
      echo = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const SECRET_PARAMETERS = ["WebIdentityToken", "client_assertion", "subject_token"] as const;

function readAsked(path: string, headers: IncomingHttpHeaders, body: string): Asked {
  const form = new URLSearchParams(body);
  const bearer = /^bearer (.*)$/i.exec(headers.authorization ?? "")?.[1];
  const sent = SECRET_PARAMETERS.map((name) => form.get(name)).find((value) => value !== null);
  const secret = sent ?? headers["x-amz-security-token"] ?? bearer ?? "";
  return { operation: form.get("Action") ?? "", path, form, body, headers, secret: String(secret) };
}

/** An error as STS writes it. */
export function stsError(status: number, code: string, message: string): EchoAnswer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, body: `<ErrorResponse>${error}<RequestId>${message}</RequestId></ErrorResponse>` };
}

export interface EchoedSession {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly arn?: string;
  readonly expiration?: string;
}

/** A session as STS gives it, with keys of the test's own. */
export function stsSession(operation: string, session: EchoedSession): EchoAnswer {
  const { secretAccessKey, sessionToken, arn = "arn:aws:sts::111122223333:assumed-role/agentctl-demo/me" } = session;
  const expiration = session.expiration ?? new Date(Date.now() + 3_600_000).toISOString();
  const credentials = `<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration>`;
  const user = `<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:me</AssumedRoleId><Arn>${arn}</Arn></AssumedRoleUser>`;
  const result = `<${operation}Result>${user}<Credentials>${credentials}</Credentials></${operation}Result>`;
  return { status: 200, body: `<${operation}Response>${result}</${operation}Response>` };
}

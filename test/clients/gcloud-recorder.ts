import http from "node:http";
import type { AddressInfo } from "node:net";

export interface GoogleCall {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface GoogleRecorder {
  readonly url: string;
  /** What was created or set, oldest first. */
  readonly changes: readonly GoogleCall[];
  /** By path: what is there. */
  readonly things: Map<string, Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/** A little of Google's IAM and Cloud Storage: keeps what is created, answers it, and records each change. */
export async function startGoogleRecorder(): Promise<GoogleRecorder> {
  const changes: GoogleCall[] = [];
  const things: GoogleRecorder["things"] = new Map();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const text = Buffer.concat(chunks).toString();
      const body = (text === "" ? {} : JSON.parse(text)) as GoogleCall["body"];
      const call = { method: request.method ?? "", path: decodeURIComponent(url.pathname), body };
      const [status, answer] = answerTo(call, url.searchParams, changes, things);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    changes,
    things,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function answerTo(
  call: GoogleCall,
  query: URLSearchParams,
  changes: GoogleCall[],
  things: GoogleRecorder["things"],
): readonly [number, unknown] {
  const isPolicy = /:getIamPolicy$/.test(call.path) || (call.method === "GET" && call.path.endsWith("/iam"));
  if (isPolicy) return [200, { version: 1, etag: "BwAAAA==" }];
  if (call.method === "GET") {
    const there = things.get(call.path);
    return there === undefined
      ? [404, { error: { code: 404, message: "not found", status: "NOT_FOUND" } }]
      : [200, there];
  }
  changes.push(call);
  if (/:setIamPolicy$/.test(call.path)) return [200, call.body["policy"]];
  if (call.path.endsWith("/iam")) return [200, call.body];
  const id = [...query].find(([name]) => /Id$/.test(name))?.[1];
  if (id === undefined) return [200, keepAccount(call, things)];
  const path = `${call.path}/${id}`;
  things.set(path, { ...call.body, name: path.replace(/^\/v1\//, ""), state: "ACTIVE" });
  return [200, { name: `${path.replace(/^\/v1\//, "")}/operations/1`, done: true, response: things.get(path) }];
}

function keepAccount({ path, body }: GoogleCall, things: GoogleRecorder["things"]): object {
  const project = /\/projects\/([^/]+)\//.exec(path)?.[1] ?? "";
  const email = `${String(body["accountId"])}@${project}.iam.gserviceaccount.com`;
  const account = { name: `projects/${project}/serviceAccounts/${email}`, email };
  things.set(`${path}/${email}`, account);
  return account;
}

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Fetch, HttpAnswer, HttpRequest } from "./runtime.js";

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;

/** The `Fetch` of a real process, on Node's own http and https modules. */
export const fetchOverHttp: Fetch = (input) =>
  new Promise<HttpAnswer>((resolve, reject) => {
    const url = new URL(input.url);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send(url, { method: input.method ?? "GET", headers: headersOf(input), agent: false });
    // Not an AbortSignal, whose first use is a fifth of what the whole request costs.
    const timer = setTimeout(() => {
      reject(systemError("ETIMEDOUT", "no answer in time"));
      outgoing.destroy();
    }, input.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    outgoing.on("close", () => clearTimeout(timer));
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= (input.maxBytes ?? DEFAULT_MAX_BYTES)) {
          chunks.push(chunk);
          return;
        }
        // Rejected here and not by destroying alone: an answer that has come in whole still emits `end`.
        reject(systemError("EMSGSIZE", "the answer is too long"));
        outgoing.destroy();
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        const headers = Object.fromEntries(
          Object.entries(incoming.headers).map(([k, v]) => [k, Array.isArray(v) ? v.join(", ") : v]),
        );
        resolve({ status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.end(input.body);
  });

function headersOf(input: HttpRequest): Record<string, string | number> {
  const length = input.body === undefined ? {} : { "content-length": Buffer.byteLength(input.body) };
  return { "user-agent": "agentctl", ...input.headers, ...length };
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

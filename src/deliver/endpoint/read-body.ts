import type { IncomingMessage } from "node:http";

/**
 * The request's body as text; undefined when it is longer than `maxBytes`, of which no more is kept.
 * Rejects when the connection ends before the body does.
 */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return Promise.resolve("");
  if (Number(length ?? 0) > maxBytes) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve(undefined);
    });
    incoming.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    incoming.once("error", reject);
    incoming.once("close", () => reject(new Error("the connection ended")));
  });
}

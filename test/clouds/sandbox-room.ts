import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { RightsSights } from "../../src/clouds/rights-sight.js";
import type { IssueContext } from "../../src/core/lease.js";
import type { Environment, Fetch, Runtime } from "../../src/core/runtime.js";
import { Secret } from "../../src/core/secret.js";
import type { Sandbox } from "../../src/sandbox/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { idToken } from "./exchange/identity.js";

/** What a cloud's room is given to ask the sandbox with, over TLS by the sandbox's own authority. */
export function roomAt(sandbox: Sandbox, env: Environment = sandbox.env): { runtime: Runtime; context: IssueContext } {
  const fetch: Fetch = ({ url, method, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, ca: readFileSync(sandbox.caFile) }, async (incoming) => {
        const answered = incoming.headers as Record<string, string>;
        resolve({ status: incoming.statusCode ?? 0, headers: answered, body: await text(incoming) });
      });
      outgoing.on("error", reject).end(body);
    });
  const mintToken = async ([audience = ""]: readonly string[]) =>
    idToken(audience, { token: new Secret(await sandbox.mintToken({ audience })) });
  return { runtime: fakeRuntime({ env, fetch }), context: { mintToken, signal: new AbortController().signal } };
}

/** A line each: `ok TEXT`, `note TEXT`, `fail CODE MESSAGE` and `warn CODE MESSAGE`. */
export function linesOf(sights: RightsSights): readonly string[] {
  return sights.map((sight) =>
    "error" in sight ? `${sight.status} ${sight.error.code} ${sight.error.message}` : `${sight.status} ${sight.text}`,
  );
}

/** Of those that are wrong or doubtful, the hints. */
export function hintsOf(sights: RightsSights): readonly (string | undefined)[] {
  return sights.flatMap((sight) => ("error" in sight ? sight.error.hint : []));
}

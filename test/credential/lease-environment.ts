import type { HttpAnswer, HttpRequest, Runtime } from "../../src/core/runtime.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

export const NOW = Date.parse("2026-01-02T03:04:05Z");
export const LEASE = { profileName: "deploy", endsAt: NOW + 600_000 };
export const ENDPOINT = "http://127.0.0.1:4711/unguessable";

/** What every command of a lease finds in its environment. */
export const LEASE_VARIABLES = {
  AGENTCTL_LEASE_ID: "l-0000000000000000",
  AGENTCTL_PROFILE: "deploy",
  AGENTCTL_EXPIRES_AT: new Date(LEASE.endsAt).toISOString(),
};

export interface LeaseRuntime {
  readonly runtime: FakeRuntime;
  readonly asked: HttpRequest[];
}

/** A process inside a lease, whose endpoint answers by the request's path and whose files are these. */
export function insideLease(
  variables: Readonly<Record<string, string>>,
  answers: Readonly<Record<string, Partial<HttpAnswer>>> = {},
  files: Readonly<Record<string, string>> = {},
): LeaseRuntime {
  const asked: HttpRequest[] = [];
  const fetch: Runtime["fetch"] = async (request) => {
    asked.push(request);
    const answer = answers[new URL(request.url).pathname.replace("/unguessable", "")];
    if (answer === undefined) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    return { status: 200, headers: {}, body: "", ...answer };
  };
  const readFileSync = (file: string) => {
    if (files[file] === undefined) throw Object.assign(new Error("none"), { code: "ENOENT" });
    return files[file];
  };
  const env = { ...LEASE_VARIABLES, ...variables };
  const fs = { readFileSync } as unknown as Runtime["fs"];
  return { runtime: fakeRuntime({ env, fs, fetch, now: () => NOW }), asked };
}

/** A JWT with these claims, of nobody's signature. */
export function tokenWith(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.signature`;
}

export function json(value: object, status = 200): Partial<HttpAnswer> {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

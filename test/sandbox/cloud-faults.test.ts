import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Fault, Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { askEntra, callArm, callBlob } from "./azure-clients.js";
import { type Answer, codeOf } from "./clients.js";
import { callGoogle, exchange, impersonate, narrow } from "./gcp-clients.js";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.faults.clear());
afterAll(() => sandbox.close());

/** One call to each service, and its own word in an answer for what went wrong. */
const SERVICES = {
  entra: { call: () => askEntra(sandbox), codeIn: (answer: Answer) => inJson(answer, "error_codes") },
  arm: { call: () => callArm(sandbox, "/subscriptions"), codeIn: (answer: Answer) => inJson(answer, "error", "code") },
  blob: { call: () => callBlob(sandbox, "/demo/x"), codeIn: codeOf },
  "gcp-sts": { call: () => exchange(sandbox), codeIn: (answer: Answer) => inJson(answer, "error", "status") },
  iamcredentials: {
    call: () => impersonate(sandbox, "x", {}),
    codeIn: (answer: Answer) => inJson(answer, "error", "status"),
  },
  tokeninfo: {
    call: () => callGoogle(sandbox, "/tokeninfo"),
    codeIn: (answer: Answer) => inJson(answer, "error", "status"),
  },
  gcs: {
    call: () => callGoogle(sandbox, "/demo/x", "x"),
    codeIn: (answer: Answer) => inJson(answer, "error", "errors", "0", "reason"),
  },
} as const;
type CloudService = keyof typeof SERVICES;

function inJson(answer: Answer, ...path: readonly string[]): string {
  let value: unknown = JSON.parse(answer.body);
  for (const step of path) value = (value as Record<string, unknown>)[step];
  return String(value);
}

async function ask(service: CloudService): Promise<string> {
  try {
    const answer = await SERVICES[service].call();
    const isGarbage = answer.headers["content-type"] === "text/html";
    const code = isGarbage ? "garbage" : SERVICES[service].codeIn(answer);
    return [answer.status, code, answer.headers["retry-after"]].filter(Boolean).join(" ");
  } catch {
    return "cut";
  }
}

describe("a cloud's faults are in its own words", () => {
  type CloudFault = Fault & { readonly service: CloudService };
  const rows: readonly { readonly fault: CloudFault; readonly want: string }[] = [
    { fault: { service: "entra", kind: "throttle", retryAfterSeconds: 2 }, want: "429 90055 2" },
    { fault: { service: "entra", kind: "error" }, want: "503 90033" },
    { fault: { service: "entra", kind: "error", status: 400, code: "AADSTS50196" }, want: "400 50196" },
    { fault: { service: "entra", kind: "deny" }, want: "400 53003" },
    { fault: { service: "arm", kind: "throttle", retryAfterSeconds: 2 }, want: "429 TooManyRequests 2" },
    { fault: { service: "arm", kind: "error", status: 502 }, want: "502 InternalServerError" },
    { fault: { service: "arm", kind: "deny" }, want: "403 AuthorizationFailed" },
    { fault: { service: "blob", kind: "throttle" }, want: "503 ServerBusy" },
    { fault: { service: "blob", kind: "error" }, want: "500 InternalError" },
    { fault: { service: "blob", kind: "deny" }, want: "403 AuthorizationPermissionMismatch" },
    { fault: { service: "gcp-sts", kind: "throttle", retryAfterSeconds: 1 }, want: "429 RESOURCE_EXHAUSTED 1" },
    { fault: { service: "gcp-sts", kind: "error", status: 503, code: "UNAVAILABLE" }, want: "503 UNAVAILABLE" },
    { fault: { service: "gcp-sts", kind: "deny" }, want: "403 PERMISSION_DENIED" },
    { fault: { service: "iamcredentials", kind: "throttle" }, want: "429 RESOURCE_EXHAUSTED" },
    { fault: { service: "iamcredentials", kind: "error" }, want: "500 INTERNAL" },
    { fault: { service: "tokeninfo", kind: "error" }, want: "500 INTERNAL" },
    { fault: { service: "gcs", kind: "throttle" }, want: "429 rateLimitExceeded" },
    { fault: { service: "gcs", kind: "error" }, want: "503 backendError" },
    { fault: { service: "gcs", kind: "deny" }, want: "403 forbidden" },
    { fault: { service: "entra", kind: "garbage", operation: "token" }, want: "200 garbage" },
    { fault: { service: "gcp-sts", kind: "cut" }, want: "cut" },
  ];
  it.each(rows)("$fault.service $fault.kind: $want", async ({ fault, want }) => {
    sandbox.faults.add({ ...fault, times: 1 });
    expect(await ask(fault.service)).toBe(want);
  });

  it("strike one operation of a service and not another", async () => {
    sandbox.faults.add({ service: "gcp-sts", operation: "Downscope", kind: "error" });
    expect((await exchange(sandbox)).status).toBe(200);
    expect((await narrow(sandbox, "x", [])).status).toBe(500);
  });
});

it("each service has a clock of its own", async () => {
  sandbox.clock.setOffset(-7_200_000, "gcp-sts");
  try {
    const answer = await exchange(sandbox);
    expect(Date.parse(String(answer.headers["date"]))).toBeLessThan(Date.now() - 7_000_000);
    expect(JSON.parse(answer.body)).toMatchObject({ error: "invalid_grant" });
    expect((await askEntra(sandbox)).status).toBe(200);
  } finally {
    sandbox.clock.setOffset(0);
  }
});

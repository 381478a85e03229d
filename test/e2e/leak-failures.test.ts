import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/core/errors.js";
import type { FaultKind } from "../../src/sandbox/index.js";
import { DEMO_PROFILE } from "./agentctl.js";
import { type FailingRun, type LeakStage, openLeakStage, THREE_PROFILE } from "./leak/leak-stage.js";

let leak: LeakStage;
beforeAll(async () => {
  leak = await openLeakStage();
  leak.stage.writeConfig(`${DEMO_PROFILE}  listed: { extends: demo, commands: ["true", "env"] }\n${THREE_PROFILE}`);
});
afterEach(() => {
  leak.stage.sandbox.faults.clear();
  leak.forget();
});
afterAll(() => leak.close());

describe("a token that is no good", () => {
  const canaryTokens = [
    { name: "is a secret of another kind", make: (secret: string) => secret },
    { name: "is a GitHub token", make: (secret: string) => `ghp_${secret}` },
    { name: "has three parts of nothing", make: (secret: string) => `${secret}.${secret}.${secret}` },
    { name: "has a header with a secret", make: (secret: string) => jwtOf({ alg: 1, kid: secret }, {}) },
    { name: "has no issuer", make: (secret: string) => jwtOf({ alg: "RS256" }, { jti: secret }) },
    { name: "is a JSON answer", make: (secret: string) => JSON.stringify({ value: secret }) },
    { name: "has a line break", make: (secret: string) => `eyJhbGciOiJub25lIn0.\n${secret}` },
  ];
  test.each(canaryTokens)("because it $name is not repeated", async ({ make }) => {
    const token = make(leak.search.plant("a token that is none"));
    expect(await leak.leaksOfFailure("TOKEN_MALFORMED", { env: { AGENTCTL_ID_TOKEN: token } })).toEqual([]);
    const file = path.join(leak.outside, "token-file");
    fs.writeFileSync(file, token, { mode: 0o600 });
    const env = { AGENTCTL_ID_TOKEN: undefined, AGENTCTL_TOKEN_FILE: file };
    const args = ["-p", "demo", "--identity", "token-file"];
    expect(await leak.leaksOfFailure("TOKEN_MALFORMED", { args, env })).toEqual([]);
  });

  const issued = [
    { name: "expired", request: { expiresInSeconds: -60 }, want: "TOKEN_EXPIRED" },
    { name: "for another audience", request: { audience: "api://elsewhere" }, want: "TOKEN_AUDIENCE" },
    { name: "from the future", request: { claims: { nbf: 4_102_444_800, exp: 4_102_448_400 } }, want: "TOKEN_EXPIRED" },
    { name: "refused for its subject", request: { claims: { sub: "repo:acme/other:ref:main" } }, want: "CLOUD_DENIED" },
    { name: "refused for its signature", request: { signedBy: "stranger" }, want: "CLOUD_DENIED" },
  ] as const;
  test.each(issued)("$name is not repeated", async ({ request, want }) => {
    const token = await leak.mintToken(request);
    expect(await leak.leaksOfFailure(want, { env: { AGENTCTL_ID_TOKEN: token } })).toEqual([]);
  });
});

/** A JWT in form, with a signature that nobody made. */
function jwtOf(header: object, payload: object): string {
  return `${[header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.c2ln`;
}

describe("everything else that goes wrong", () => {
  const kinds: readonly { kind: FaultKind; want: ErrorCode }[] = [
    { kind: "error", want: "SERVICE_FAILED" },
    { kind: "cut", want: "UNREACHABLE" },
    { kind: "garbage", want: "BAD_ANSWER" },
    { kind: "throttle", want: "THROTTLED" },
    { kind: "deny", want: "CLOUD_DENIED" },
  ];
  const faults = (["sts", "entra", "gcp-sts", "iamcredentials"] as const).flatMap((service) =>
    kinds.map((row) => ({ service, ...row })),
  );
  test.each(faults)("$service: $kind", async ({ want, service, kind }) => {
    leak.stage.sandbox.faults.add({ service, kind });
    expect(await leak.leaksOfFailure(want, { args: ["-p", "three"] })).toEqual([]);
  });

  const failures: readonly (FailingRun & { name: string; want: ErrorCode })[] = [
    {
      name: "an Azure that nobody runs",
      args: ["-p", "three"],
      env: { AZURE_AUTHORITY_HOST: "https://127.0.0.1:1" },
      want: "UNREACHABLE",
    },
    {
      name: "a Google that nobody vouches for",
      args: ["-p", "three"],
      env: { NODE_EXTRA_CA_CERTS: undefined },
      want: "UNREACHABLE",
    },
    { name: "an STS that nobody runs", env: { AWS_ENDPOINT_URL_STS: "https://127.0.0.1:1" }, want: "UNREACHABLE" },
    { name: "an unknown profile", args: ["-p", "deploy"], want: "PROFILE_UNKNOWN" },
    { name: "a command that is not there", command: ["no-such-command"], want: "COMMAND_NOT_FOUND" },
    { name: "a command that cannot be executed", command: ["/"], want: "COMMAND_NOT_EXECUTABLE" },
    { name: "a receipt that cannot be written", receipt: "no/such/directory/receipt.json", want: "RECEIPT_UNWRITABLE" },
    {
      name: "a state directory below a file",
      env: { AGENTCTL_STATE_DIR: "/dev/null/state" },
      want: "AUDIT_UNWRITABLE",
    },
    { name: "an unknown identity source", args: ["-p", "demo", "--identity", "vault"], want: "USAGE" },
  ];
  test.each(failures)("$name", async ({ want, ...refused }) => {
    expect(await leak.leaksOfFailure(want, refused)).toEqual([]);
  });

  test("a command that the profile does not permit, and its arguments", async () => {
    const secret = leak.search.plant("an argument that was refused");
    expect(await leak.leaksOfFailure("COMMAND_DENIED", { args: ["-p", "listed"], command: ["env", secret] })).toEqual(
      [],
    );
  });

  const configs: readonly { name: string; yaml: (secret: string) => string; want: ErrorCode }[] = [
    {
      name: "an unknown key",
      yaml: (secret: string) => `${DEMO_PROFILE}      secret: ${secret}\n`,
      want: "CONFIG_INVALID",
    },
    {
      name: "a value of another kind",
      yaml: (secret: string) => `${DEMO_PROFILE}    env: { set: ["${secret}"] }\n`,
      want: "CONFIG_INVALID",
    },
    {
      name: "a variable that may not be set",
      yaml: (secret: string) => `${DEMO_PROFILE}    env: { set: { AWS_SESSION_TOKEN: ${secret} } }\n`,
      want: "CONFIG_FORBIDDEN",
    },
    {
      name: "no YAML",
      yaml: (secret: string) => `${DEMO_PROFILE}    env: { set: { TOKEN: "${secret} } }\n`,
      want: "CONFIG_SYNTAX",
    },
  ];
  test.each(configs)("a configuration with $name is not quoted", async ({ yaml, want }) => {
    const file = path.join(leak.outside, "agentctl.yaml");
    fs.writeFileSync(file, yaml(leak.search.plant("a value in the configuration")));
    expect(await leak.leaksOfFailure(want, { args: ["-p", "demo", "--config", file] })).toEqual([]);
  });
});

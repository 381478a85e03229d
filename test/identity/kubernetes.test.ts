import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { acquireIdentity, explainSources, tokenVariables } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const AZURE_AUDIENCE = "api://AzureADTokenExchange";
const POD = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-pod-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

/** A file of the pod: what is under /var/run/secrets in it is under `dir` here. */
function podFile(file: string): string {
  return file.startsWith("/var/run/secrets") ? path.join(dir, file) : file;
}

function podRuntime(env: Record<string, string>) {
  const redirected = {
    ...fs,
    openSync: (file: string, flags: number) => fs.openSync(podFile(file), flags),
    readdirSync: (name: string) => fs.readdirSync(podFile(name)),
  };
  return fakeRuntime({ env, cwd: dir, now: () => NOW, fs: redirected as unknown as Runtime["fs"] });
}

function acquire(env: Record<string, string>, source = "auto", audience = AWS_AUDIENCE) {
  return acquireIdentity({ source, audiences: [{ cloud: "aws", audiences: [audience] }] }, podRuntime(env));
}

function podToken(claims: Record<string, unknown> = {}): Promise<string> {
  const account = { namespace: "acme", serviceaccount: { name: "deploy" } };
  const own = { sub: "system:serviceaccount:acme:deploy", "kubernetes.io": account };
  return makeToken({ iss: "https://cluster.example", ...own, aud: [AWS_AUDIENCE], ...claims });
}

function write(file: string, text: string, mode = 0o644): string {
  const place = podFile(file);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, text, { mode });
  return place;
}

const TOKENS = "/var/run/secrets/tokens";
const OWN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

describe("a pod's tokens are found", () => {
  const rows = [
    {
      name: "where EKS has put one",
      place: (token: string) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: write(`${dir}/eks/token`, token) }),
      reason: "AWS_WEB_IDENTITY_TOKEN_FILE is set",
    },
    {
      name: "where AKS has put one",
      place: (token: string) => ({ AZURE_FEDERATED_TOKEN_FILE: write(`${dir}/aks/token`, token) }),
      reason: "AZURE_FEDERATED_TOKEN_FILE is set",
    },
    {
      name: "where Google's credential configuration names one",
      place: (token: string) => {
        const source = { file: write(`${dir}/gcp/token`, `${token}\n`) };
        const text = JSON.stringify({ type: "external_account", credential_source: source });
        return { ...POD, GOOGLE_APPLICATION_CREDENTIALS: write(`${dir}/configuration.json`, text) };
      },
      reason: "gcp/token is there",
    },
    {
      name: "in the usual directory",
      place: (token: string) => {
        write(`${TOKENS}/ca.crt`, "-----BEGIN CERTIFICATE-----");
        write(`${TOKENS}/..2026_11_22/aws`, "not for readers");
        write(`${TOKENS}/aws`, token);
        return POD;
      },
      reason: `${TOKENS}/aws is there`,
    },
    {
      name: "in a directory of their own in it",
      place: (token: string) => {
        write(`${TOKENS}/aws/token`, token);
        return POD;
      },
      reason: `${TOKENS}/aws/token is there`,
    },
    {
      name: "where every pod has one",
      place: (token: string) => {
        write(OWN, token);
        return POD;
      },
      reason: `this is a pod, with ${OWN}`,
    },
  ];
  test.each(rows)("$name", async ({ place, reason }) => {
    const token = await podToken();
    const identity = await acquire(place(token));
    expect(identity).toMatchObject({
      source: "kubernetes",
      reason: expect.stringContaining(reason),
      issuer: "https://cluster.example",
      subject: "system:serviceaccount:acme:deploy",
      claims: { "kubernetes.io.namespace": "acme", "kubernetes.io.serviceaccount.name": "deploy" },
    });
    expect((await identity.mintToken([AWS_AUDIENCE])).token.reveal()).toBe(token);
  });

  test("anew for each use, and for each audience the one that is for it", async () => {
    const file = write(`${dir}/eks/token`, await podToken());
    write(`${TOKENS}/azure`, await podToken({ aud: [AZURE_AUDIENCE] }));
    const identity = await acquire({ ...POD, AWS_WEB_IDENTITY_TOKEN_FILE: file });
    const rotated = await podToken({ jti: "rotated" });
    write(file, rotated);
    expect((await identity.mintToken([AWS_AUDIENCE])).token.reveal()).toBe(rotated);
    expect(await identity.mintToken([AZURE_AUDIENCE])).toMatchObject({ audience: [AZURE_AUDIENCE] });
  });

  test("after those of a CI job that runs in the pod", async () => {
    const job = await makeToken({ project_path: "acme/site", ref_protected: "true" });
    write(OWN, await podToken());
    expect(await acquire({ ...POD, GITLAB_CI: "true", JOB: job })).toMatchObject({ source: "gitlab" });
  });

  test("and the variables that name them are kept from the child", () => {
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: "/x", AZURE_FEDERATED_TOKEN_FILE: "/y", KUBECONFIG: "/kept" };
    expect(tokenVariables(fakeRuntime({ env }))).toEqual(["AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"]);
  });
});

describe("a pod whose tokens do not do", () => {
  interface Row {
    readonly name: string;
    readonly env: () => Promise<Record<string, string>>;
    readonly source?: string;
    readonly code: string;
    readonly says: string;
    readonly hint: string;
  }
  const rows: readonly Row[] = [
    {
      name: "has none",
      env: async () => POD,
      code: "NO_IDENTITY",
      says: "this pod has no service account token",
      hint: "projected: { sources:",
    },
    {
      name: "has only the API server's",
      env: async () => {
        write(OWN, await podToken({ aud: ["https://kubernetes.default.svc"] }));
        return POD;
      },
      code: "TOKEN_AUDIENCE",
      says: `the token in ${OWN} is for "https://kubernetes.default.svc"`,
      hint: `{ serviceAccountToken: { path: sts-amazonaws-com, audience: "sts.amazonaws.com" } }] } }]\`, mounted at ${TOKENS}`,
    },
    {
      name: "is a CI runner's, of a job without a token",
      env: async () => {
        write(OWN, await podToken());
        return { ...POD, GITLAB_CI: "true" };
      },
      code: "NO_IDENTITY",
      says: "this pod's own token is the CI runner's, not the job's",
      hint: "id_tokens",
    },
    {
      name: "lacks the file that a variable names",
      env: async () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent/token" }),
      code: "NO_IDENTITY",
      says: "cannot read the token file /nonexistent/token: no such file",
      hint: "see that the volume is mounted",
    },
    {
      name: "cannot read the one file that might have fitted",
      env: async () => {
        write(`${TOKENS}/azure`, await podToken({ aud: [AZURE_AUDIENCE] }));
        return { ...POD, AWS_WEB_IDENTITY_TOKEN_FILE: dir };
      },
      code: "NO_IDENTITY",
      says: "it is not a regular file",
      hint: "fsGroup",
    },
    {
      name: "has an empty file",
      env: async () => ({ AZURE_FEDERATED_TOKEN_FILE: write(`${dir}/token`, "\n") }),
      code: "TOKEN_MALFORMED",
      says: "(AZURE_FEDERATED_TOKEN_FILE) is empty",
      hint: "what writes it",
    },
    {
      name: "has a token that was not renewed",
      env: async () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: write(`${dir}/t`, await podToken({ exp: NOW_SECONDS - 1 })) }),
      code: "TOKEN_EXPIRED",
      says: "expired 1s ago",
      hint: "the kubelet renews",
    },
    {
      name: "is no pod",
      env: async () => ({}),
      source: "kubernetes",
      code: "NO_IDENTITY",
      says: "the identity source kubernetes is not there: this is not a Kubernetes pod",
      hint: "a pod with a projected token",
    },
  ];
  test.each(rows)("$name", async ({ env, source, code, says, hint }) => {
    const variables = await env();
    const error = await thrownBy(() => acquire(variables, source));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).toContain(hint);
  });

  test("does not fail for a broken file when another fits", async () => {
    write(`${TOKENS}/aws`, await podToken());
    expect(await acquire({ ...POD, AZURE_FEDERATED_TOKEN_FILE: "/nonexistent" })).toMatchObject({
      source: "kubernetes",
    });
  });

  test.each([
    { name: "a key", text: '{"type":"service_account","private_key":"x"}' },
    {
      name: "an account whose token is at a URL",
      text: '{"type":"external_account","credential_source":{"url":"http://x"}}',
    },
    { name: "no JSON", text: "x" },
  ])("takes $name in GOOGLE_APPLICATION_CREDENTIALS for none of its own", ({ text }) => {
    const runtime = podRuntime({ ...POD, GOOGLE_APPLICATION_CREDENTIALS: write(`${dir}/c.json`, text) });
    expect(explainSources(runtime)).toContainEqual(
      expect.objectContaining({ name: "kubernetes", found: false, reason: "this pod has no service account token" }),
    );
  });
});

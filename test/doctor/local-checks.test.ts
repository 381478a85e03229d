import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appendEvent } from "../../src/audit/index.js";
import type { Runtime } from "../../src/core/runtime.js";
import { checkAudit } from "../../src/doctor/check-audit.js";
import { checkConfig } from "../../src/doctor/check-config.js";
import { checkEndpoints } from "../../src/doctor/check-endpoints.js";
import { checkIdentity } from "../../src/doctor/check-identity.js";
import { checkLeases } from "../../src/doctor/check-leases.js";
import { judgeNode } from "../../src/doctor/check-node.js";
import { checkProxy } from "../../src/doctor/check-proxy.js";
import { checkTools } from "../../src/doctor/check-tools.js";
import { lockLease, type NewLease, openLease } from "../../src/lease/index.js";
import { makeToken, NOW } from "../identity/tokens.js";
import { findingsOf, makeProject, PROFILES, runtimeIn } from "./examination.js";

let dir: string;
beforeEach(() => {
  dir = makeProject();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const runtime = (overrides: Partial<Runtime> = {}) => runtimeIn(dir, overrides);

describe("node", () => {
  test.each([
    { version: "18.20.0", status: "fail" },
    { version: "20.20.2", status: "ok" },
    { version: "23.1.0", status: "note" },
    { version: "24.0.0", status: "ok" },
  ])("$version", ({ version, status }) => {
    expect(judgeNode(version)).toMatchObject({ status, message: expect.stringContaining(version) });
  });
});

describe("config", () => {
  test("well", async () => {
    expect(await findingsOf(checkConfig, runtime())).toMatchObject([
      { status: "ok", message: "agentctl.yaml: 1 profile, no mistakes" },
    ]);
  });

  test("as many profiles with one named as without", async () => {
    fs.appendFileSync(
      path.join(dir, "agentctl.yaml"),
      '  base: { ttl: 5m }\n  more: { extends: base, aws: { role_arn: "arn:aws:iam::111122223333:role/more" } }\n',
    );
    expect(await findingsOf(checkConfig, runtime())).toMatchObject([
      { message: "agentctl.yaml: 2 profiles, no mistakes" },
    ]);
    expect(await findingsOf(checkConfig, runtime(), { profileName: "more" })).toMatchObject([
      { status: "ok", message: "agentctl.yaml: 2 profiles, no mistakes in more" },
    ]);
  });

  test.each([
    {
      name: "a mistake, with its place, and how many there are besides",
      config: PROFILES.replace("ttl: 15m", "ttl: 15").replace("role_arn", "role_arm"),
      want: {
        status: "fail",
        code: "CONFIG_INVALID",
        message: /^agentctl\.yaml:4:10: .*\(and 1 more; agentctl profile lint/,
      },
    },
    {
      name: "not YAML",
      config: "version: [",
      want: { status: "fail", code: "CONFIG_SYNTAX", message: /^agentctl\.yaml:1/ },
    },
  ])("$name", async ({ config, want }) => {
    fs.writeFileSync(path.join(dir, "agentctl.yaml"), config);
    const { message, ...rest } = want;
    expect(await findingsOf(checkConfig, runtime())).toMatchObject([
      { ...rest, message: expect.stringMatching(message) },
    ]);
  });

  test("what no cloud could be asked for", async () => {
    const env = { AWS_ENDPOINT_URL_STS: "http://sts.example" };
    expect(await findingsOf(checkConfig, runtime({ env }))).toMatchObject([
      {
        status: "fail",
        code: "ENDPOINT_INVALID",
        message: expect.stringMatching(/^profile deploy: AWS_ENDPOINT_URL_STS/),
      },
    ]);
  });
});

describe("endpoints", () => {
  test("the clouds' own", async () => {
    expect(await findingsOf(checkEndpoints, runtime())).toMatchObject([{ status: "ok" }]);
  });

  test("another, each once", async () => {
    const env = { AWS_ENDPOINT_URL_STS: "https://127.0.0.1:4566", AZURE_AUTHORITY_HOST: "https://127.0.0.1:4567" };
    fs.appendFileSync(
      path.join(dir, "agentctl.yaml"),
      '  more: { aws: { role_arn: "arn:aws:iam::111122223333:role/more" } }\n',
    );
    expect((await findingsOf(checkEndpoints, runtime({ env }))).map(({ message }) => message)).toEqual([
      "AWS_ENDPOINT_URL_STS sends identity tokens to https://127.0.0.1:4566",
      "AZURE_AUTHORITY_HOST sends identity tokens to https://127.0.0.1:4567",
    ]);
  });

  const IAM = "https://127.0.0.1:4568";
  const ROLE_ARN = "arn:aws:iam::111122223333:role/revoker";
  test.each([
    {
      name: "IAM's own",
      env: { AWS_ENDPOINT_URL_IAM: IAM },
      want: [`AWS_ENDPOINT_URL_IAM sends what is asked of AWS's IAM to ${IAM}`],
    },
    {
      name: "AWS's for all",
      env: { AWS_ENDPOINT_URL: IAM },
      want: [`AWS_ENDPOINT_URL sends identity tokens to ${IAM}`],
    },
    {
      name: "AWS's for all, but for STS",
      env: { AWS_ENDPOINT_URL: IAM, AWS_ENDPOINT_URL_STS: "https://127.0.0.1:4566" },
      want: [
        "AWS_ENDPOINT_URL_STS sends identity tokens to https://127.0.0.1:4566",
        `AWS_ENDPOINT_URL sends what is asked of AWS's IAM to ${IAM}`,
      ],
    },
  ])("says of $name what goes there", async ({ env, want }) => {
    fs.appendFileSync(
      path.join(dir, "agentctl.yaml"),
      `  more: { aws: { role_arn: "arn:aws:iam::111122223333:role/more", revoker: { role_arn: "${ROLE_ARN}" } } }\n`,
    );
    expect((await findingsOf(checkEndpoints, runtime({ env }))).map(({ message }) => message)).toEqual(want);
  });

  test("says what goes to those that rights are given by", async () => {
    const google = (service: string) => `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service}`;
    const asked = {
      AZURE_RESOURCE_MANAGER_ENDPOINT: "Azure Resource Manager",
      [google("CLOUDRESOURCEMANAGER")]: "Google's Resource Manager",
      [google("STORAGE")]: "Google's Cloud Storage",
      [google("IAM")]: "Google's IAM",
      [google("PRIVILEGEDACCESSMANAGER")]: "Google's Privileged Access Manager",
    };
    const env = Object.fromEntries(Object.keys(asked).map((variable) => [variable, "https://127.0.0.1:4569/"]));
    fs.appendFileSync(path.join(dir, "agentctl.yaml"), WITH_RIGHTS);
    const messages = (await findingsOf(checkEndpoints, runtime({ env }))).map(({ message }) => message);
    expect(messages.map((message) => message.replace(/\/?$/, "/")).sort()).toEqual(
      Object.entries(asked)
        .map(([variable, what]) => `${variable} sends what is asked of ${what} to https://127.0.0.1:4569/`)
        .sort(),
    );
  });
});

const WITH_RIGHTS = `  rights:
    azure:
      tenant_id: aaaabbbb-0000-cccc-1111-dddd2222eeee
      client_id: 00001111-aaaa-2222-bbbb-3333cccc4444
      granter: { client_id: 11112222-bbbb-3333-cccc-4444dddd5555 }
      assignments: [{ role: Reader, scope: /subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e }]
    gcp:
      workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github
      service_account: jit@acme-web.iam.gserviceaccount.com
      granter: { service_account: granter@acme-web.iam.gserviceaccount.com }
      bindings:
        - { role: roles/logging.viewer, resource: projects/acme-web }
        - { role: roles/storage.objectViewer, resource: buckets/acme-site }
        - { role: roles/iam.serviceAccountUser, resource: //iam.googleapis.com/projects/acme-web/serviceAccounts/web@acme-web.iam.gserviceaccount.com }
      entitlement: projects/acme-web/locations/global/entitlements/viewer
`;

describe("proxy", () => {
  test("none, or an empty one", async () => {
    expect(await findingsOf(checkProxy, runtime({ env: { HTTPS_PROXY: "" } }))).toMatchObject([{ status: "ok" }]);
  });

  test("one is named without its address, which may hold a password", async () => {
    const [finding] = await findingsOf(checkProxy, runtime({ env: { https_proxy: "http://me:hunter2@proxy:1" } }));
    expect(finding).toMatchObject({ status: "note", message: expect.stringMatching(/^https_proxy is set/) });
    expect(JSON.stringify(finding)).not.toMatch(/hunter2|proxy:1/);
  });
});

describe("audit", () => {
  const log = () => path.join(dir, "state/audit/audit.jsonl");
  const append = () => appendEvent({ kind: "lease.failed", time: new Date(NOW).toISOString() }, runtime());

  test("none, then one that holds, then one that was edited", async () => {
    expect(await findingsOf(checkAudit, runtime())).toMatchObject([{ status: "ok", facts: { records: 0 } }]);
    await append();
    const { head } = await append();
    expect(await findingsOf(checkAudit, runtime())).toMatchObject([{ status: "ok", facts: { records: 2, head } }]);
    fs.writeFileSync(log(), fs.readFileSync(log(), "utf8").replace("lease.failed", "lease.end"));
    expect(await findingsOf(checkAudit, runtime())).toMatchObject([
      { status: "fail", code: "AUDIT_BROKEN", message: expect.stringContaining("at line") },
    ]);
  });
});

describe("leases", () => {
  const open = (leaseId: string, pid: number, plans: NewLease["plans"] = []) => {
    const terms = {
      leaseId,
      profileName: "deploy",
      openedAt: NOW,
      deadlineAt: NOW + 900_000,
      latestDeadlineAt: NOW + 900_000,
      ttlSeconds: 900,
      deliver: "env",
    } as const;
    const identity = { source: "env", issuer: "https://issuer.example", subject: "ada" };
    return openLease(
      { terms, plans, actor: { kind: "automation" }, command: { argv: ["true"] }, identity, graceSeconds: 30 },
      runtime({ pid }),
    );
  };
  /** The highest pid that Linux gives is 2^22. */
  const NOBODY = 2 ** 22 + 1;

  test("none, and one that is looked after", async () => {
    expect(await findingsOf(checkLeases, runtime())).toMatchObject([{ status: "ok", facts: { open: 0 } }]);
    open("l-0000000000000001", process.pid);
    expect(await findingsOf(checkLeases, runtime())).toMatchObject([{ status: "ok", facts: { open: 1 } }]);
  });

  test("one that is queued, which somebody waits for or nobody does", async () => {
    const retryAt = new Date(NOW + 300_000).toISOString();
    const queued = { cloud: "azure", word: "expires", at: retryAt, detail: "d", isUnfinished: true, retryAt } as const;
    const id = "l-0000000000000004";
    const plans = [{ cloud: "azure", channel: "env", principal: "p", undo: {}, facts: {} }] as const;
    open(id, NOBODY, plans).update({ state: "ending", endings: [queued] });
    expect(await findingsOf(checkLeases, runtime({ now: () => NOW }))).toMatchObject([
      {
        status: "warn",
        message: expect.stringContaining("nobody"),
        hint: `agentctl lease sweep ${id} has somebody wait`,
      },
    ]);
    const queue = await lockLease(id, runtime(), "queue");
    open("l-0000000000000001", process.pid);
    const findings = await findingsOf(checkLeases, runtime({ now: () => NOW }));
    await queue?.release();
    expect(findings).toMatchObject([
      { status: "ok", message: "2 open: 1 with its agentctl, 1 queued, with its watchdog", facts: { open: 2 } },
    ]);
  });

  test("an orphan, with the time until which it can be used, and a file that is none", async () => {
    open("l-0000000000000002", NOBODY);
    fs.writeFileSync(path.join(dir, "state/leases/l-0000000000000003.json"), "{}");
    const findings = await findingsOf(checkLeases, runtime({ now: () => NOW }));
    expect(findings).toMatchObject([
      {
        status: "warn",
        message: expect.stringContaining(
          "its agentctl ended without finishing it; it can be used until 2026-11-22T12:15:00Z",
        ),
        hint: "agentctl lease sweep l-0000000000000002 ends it",
      },
      { status: "warn", message: expect.stringContaining("cannot be read: it is not a ledger entry") },
    ]);
    const later = await findingsOf(checkLeases, runtime({ now: () => NOW + 901_000 }));
    expect(later[0]?.message).toContain("nothing of it works since 2026-11-22T12:15:00Z");
  });
});

describe("identity", () => {
  test("without a profile, what is at hand", async () => {
    const env = { AGENTCTL_ID_TOKEN: await makeToken() };
    expect(await findingsOf(checkIdentity, runtime({ env, now: () => NOW }))).toMatchObject([
      { status: "ok", facts: { subject: "repo:acme/site:ref:refs/heads/main", until: "2026-11-22T12:05:00Z" } },
    ]);
  });

  test("without a profile no token service is asked", async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" };
    expect(await findingsOf(checkIdentity, runtime({ env }))).toMatchObject([
      { status: "ok", message: expect.stringMatching(/^from github-actions .* mints/) },
    ]);
  });

  test("with a profile, a token for each cloud", async () => {
    const env = { AGENTCTL_ID_TOKEN: await makeToken() };
    const findings = await findingsOf(checkIdentity, runtime({ env, now: () => NOW }), { profileName: "deploy" });
    expect(findings).toMatchObject([
      { status: "ok", message: expect.stringContaining("for sts.amazonaws.com (aws)") },
      { status: "fail", code: "TOKEN_AUDIENCE", message: expect.stringMatching(/^azure: /) },
    ]);
  });
});

describe("tools", () => {
  const install = (...names: readonly string[]) => {
    const bin = path.join(dir, "bin");
    fs.mkdirSync(bin);
    for (const name of names) fs.writeFileSync(path.join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
    return { PATH: bin };
  };

  test("without a profile, where they are", async () => {
    const env = install("aws", "kubectl");
    expect(
      (await findingsOf(checkTools, runtime({ env }))).map(({ status, message }) => `${status} ${message}`),
    ).toEqual([`ok aws (${env.PATH}/aws)`, expect.stringMatching(/^ok kubectl .*kubeconfig/)]);
  });

  test("with one, whether they find what it delivers", async () => {
    const env = install("aws", "az", "gcloud", "terraform");
    const byName = async (config: string) => {
      fs.writeFileSync(path.join(dir, "agentctl.yaml"), config);
      const findings = await findingsOf(checkTools, runtime({ env }), { profileName: "deploy" });
      return findings.map(({ status, facts }) => [facts?.["tool"], status, facts?.["finds"], facts?.["misses"]]);
    };
    expect(await byName(PROFILES)).toEqual([
      ["aws", "ok", ["aws by env"], []],
      ["az", "note", [], ["azure by env"]],
      ["gcloud", "ok", [], []],
      ["terraform", "note", ["aws by env"], ["azure by env"]],
    ]);
    expect(await byName(PROFILES.replace("deliver: env", "deliver: endpoint"))).toEqual([
      ["aws", "ok", ["aws by endpoint"], []],
      ["az", "ok", ["azure by endpoint"], []],
      ["gcloud", "ok", [], []],
      ["terraform", "ok", ["aws by endpoint", "azure by endpoint"], []],
    ]);
  });

  test("none at all", async () => {
    expect(await findingsOf(checkTools, runtime({ env: install() }))).toMatchObject([{ status: "note" }]);
  });
});

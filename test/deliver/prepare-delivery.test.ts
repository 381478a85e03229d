import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Grant } from "../../src/core/lease.js";
import type { Runtime } from "../../src/core/runtime.js";
import { Secret } from "../../src/core/secret.js";
import { isCredentialVariable } from "../../src/core/sensitive-variables.js";
import { type Deliverables, type DeliveryInput, prepareDelivery, previewDelivery } from "../../src/deliver/index.js";
import { planTombstones } from "../../src/deliver/tombstones.js";
import { fakeRuntime } from "../fake-runtime.js";

const GRANT = {
  variables: {
    AWS_ACCESS_KEY_ID: "ASIA1",
    AWS_SECRET_ACCESS_KEY: new Secret("hush"),
    AWS_SESSION_TOKEN: new Secret("hush2"),
    AWS_REGION: "eu-central-1",
  },
};
const ADDED = ["AGENTCTL_EXPIRES_AT", "AGENTCTL_LEASE_ID", "AGENTCTL_PROFILE", "NO_PROXY", "no_proxy"];

let root: string;
let privateDir: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-deliver-"));
  privateDir = path.join(root, "state", "run", "l-0000000000000001");
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function input(changes: Partial<DeliveryInput> = {}): DeliveryInput {
  return {
    profile: { name: "deploy", peerCheck: "auto", env: { pass: [], set: {} } },
    terms: { leaseId: "l-0000000000000001", deadlineAt: Date.parse("2026-11-22T06:00:00Z") },
    plans: [{ variables: Object.keys(GRANT.variables) }],
    actorKind: "automation",
    passEnv: [],
    alsoRemove: [],
    privateDir,
    ...changes,
  };
}

function prepare(changes: Partial<DeliveryInput>, env: Runtime["env"], overrides: Partial<Runtime> = {}) {
  const deliverables: Deliverables = {
    grants: [GRANT as unknown as Grant],
    endpoints: [],
    current: () => Promise.reject(new Error("nothing is asked for over an endpoint")),
    onRefused: () => {},
  };
  return prepareDelivery(input(changes), deliverables, fakeRuntime({ env, ...overrides }));
}

describe("prepareDelivery", () => {
  it("gives the grant, the lease and the tombstones, and takes out the caller's own", async () => {
    const delivery = await prepare({}, { PATH: "/bin", AWS_PROFILE: "dev", AWS_SESSION_TOKEN: "old" });
    expect(delivery.env).toEqual({
      PATH: "/bin",
      NO_PROXY: "127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
      ...planTombstones(privateDir).variables,
      AWS_ACCESS_KEY_ID: "ASIA1",
      AWS_SECRET_ACCESS_KEY: "hush",
      AWS_SESSION_TOKEN: "hush2",
      AWS_REGION: "eu-central-1",
      AGENTCTL_LEASE_ID: "l-0000000000000001",
      AGENTCTL_PROFILE: "deploy",
      AGENTCTL_EXPIRES_AT: "2026-11-22T06:00:00Z",
    });
    expect(delivery.removed).toEqual(["AWS_PROFILE", "AWS_SESSION_TOKEN"]);
    const tombstones = Object.keys(planTombstones(privateDir).variables);
    expect(delivery.given).toEqual([...Object.keys(GRANT.variables), ...tombstones, ...ADDED].sort());
  });

  it("makes what the tombstones point to, empty and for this user only", async () => {
    const { env } = await prepare({}, {});
    const modes = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"].map((name) => {
      const stat = fs.lstatSync(env[name] ?? "");
      return [stat.isFile(), stat.size, stat.mode & 0o777];
    });
    expect(modes).toEqual(Array(3).fill([true, 0, 0o600]));
    const dirs = ["AZURE_CONFIG_DIR", "AZD_CONFIG_DIR", "CLOUDSDK_CONFIG"].map((name) => {
      const stat = fs.lstatSync(env[name] ?? "");
      return [stat.isDirectory(), fs.readdirSync(env[name] ?? "").length, stat.mode & 0o777];
    });
    expect(dirs).toEqual(Array(3).fill([true, 0, 0o700]));
    expect(fs.existsSync(env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "")).toBe(false);
    expect(fs.statSync(privateDir).mode & 0o777).toBe(0o700);
  });

  it("has no tombstone that a project's file could be allowed to pass over", async () => {
    const names = Object.keys(planTombstones(privateDir).variables);
    expect(names.filter((name) => !isCredentialVariable(name))).toEqual([]);
  });

  it("lets a variable that the caller passes on purpose stand in a tombstone's place, and in no grant's", async () => {
    const passEnv = ["AWS_CONFIG_FILE", "AWS_SESSION_TOKEN", "BOTO_CONFIG"];
    const { env, given } = await prepare({ passEnv }, { AWS_CONFIG_FILE: "/mine", AWS_SESSION_TOKEN: "mine" });
    expect(env["AWS_CONFIG_FILE"]).toBe("/mine");
    expect(env["AWS_SESSION_TOKEN"]).toBe("hush2");
    expect(env["BOTO_CONFIG"]).toBe(path.join(privateDir, "boto.cfg"));
    expect(given).not.toContain("AWS_CONFIG_FILE");
  });

  it("does not let the profile set what a grant, a tombstone or the lease sets", async () => {
    const set = { AWS_SESSION_TOKEN: "x", AWS_EC2_METADATA_DISABLED: "false", AGENTCTL_PROFILE: "x", MINE: "1" };
    const { env } = await prepare({ profile: { name: "deploy", peerCheck: "auto", env: { pass: [], set } } }, {});
    expect(env).toMatchObject({
      AWS_SESSION_TOKEN: "hush2",
      AWS_EC2_METADATA_DISABLED: "true",
      AGENTCTL_PROFILE: "deploy",
      MINE: "1",
    });
  });

  it("joins the proxy exceptions of the caller and of the profile", async () => {
    const profile = { name: "deploy", peerCheck: "auto", env: { pass: [], set: { NO_PROXY: "set.example" } } } as const;
    expect((await prepare({ profile }, { no_proxy: "own.example" })).env["NO_PROXY"]).toBe(
      "set.example,own.example,127.0.0.1,localhost",
    );
  });

  const modes: { name: string; changes: Partial<DeliveryInput>; kept: boolean }[] = [
    { name: "strict for an agent", changes: { actorKind: "agent" }, kept: false },
    { name: "cloud for a human", changes: { actorKind: "human" }, kept: true },
    {
      name: "the profile's, where it has one",
      changes: {
        actorKind: "agent",
        profile: { name: "p", peerCheck: "auto", env: { mode: "cloud", pass: [], set: {} } },
      },
      kept: true,
    },
  ];
  it.each(modes)("takes as the mode: $name", async ({ changes, kept }) => {
    expect("GITHUB_TOKEN" in (await prepare(changes, { GITHUB_TOKEN: "g" })).env).toBe(kept);
  });

  it("removes its files, also those that the child made, without following a link, and again", async () => {
    const outside = path.join(root, "outside");
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, "precious"), "p");
    const delivery = await prepare({}, {});
    fs.symlinkSync(outside, path.join(privateDir, "gcloud", "link"));
    fs.writeFileSync(path.join(privateDir, "azure", "msal_token_cache.json"), "{}");
    expect(await delivery.close()).toBe(true);
    expect(fs.existsSync(privateDir)).toBe(false);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
    expect(await delivery.close()).toBe(true);
  });

  it("removes a link that was put in its directory's place, and not what it points to", async () => {
    const delivery = await prepare({}, {});
    fs.renameSync(privateDir, path.join(root, "moved"));
    fs.symlinkSync(path.join(root, "moved"), privateDir);
    await delivery.close();
    expect(fs.readdirSync(path.join(root, "moved")).length).toBeGreaterThan(0);
  });

  it("says when something could not be removed, and does not throw", async () => {
    const delivery = await prepare(
      {},
      {},
      {
        fs: {
          ...fs,
          rmSync: () => {
            throw Object.assign(new Error("no"), { code: "EACCES" });
          },
        },
      },
    );
    expect(await delivery.close()).toBe(false);
  });

  it("leaves nothing behind when the disk is full half-way", async () => {
    const mkdirSync = ((dir: string, options: fs.MakeDirectoryOptions) => {
      if (dir.endsWith("gcloud")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return fs.mkdirSync(dir, options);
    }) as typeof fs.mkdirSync;
    await expect(prepare({}, {}, { fs: { ...fs, mkdirSync } })).rejects.toEqual(
      expect.objectContaining({ code: "STATE_UNWRITABLE", message: expect.stringContaining("the disk is full") }),
    );
    expect(fs.existsSync(privateDir)).toBe(false);
  });

  it("does not take over a directory that holds another lease's files", async () => {
    fs.mkdirSync(privateDir, { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(privateDir, "theirs"), "");
    await expect(prepare({}, {})).rejects.toEqual(expect.objectContaining({ code: "STATE_UNWRITABLE" }));
    expect(fs.readdirSync(privateDir)).toEqual(["theirs"]);
  });
});

describe("what is passed on purpose", () => {
  it("names credentials and the means to mint one, and nothing harmless or absent", async () => {
    const passEnv = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_PROFILE", "NPM_TOKEN", "AZURE_CLIENT_SECRET"];
    const parent = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t", AWS_PROFILE: "dev", NPM_TOKEN: "n" };
    expect((await prepare({ passEnv }, parent)).passed).toEqual(["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_PROFILE"]);
  });
});

describe("previewDelivery", () => {
  it("names what prepareDelivery would give and remove, and makes nothing", async () => {
    const env = { PATH: "/bin", AWS_PROFILE: "dev", AWS_EC2_METADATA_DISABLED: "true" };
    const preview = previewDelivery(input(), fakeRuntime({ env }));
    expect(fs.existsSync(privateDir)).toBe(false);
    const { given, removed, passed } = await prepare({}, env);
    expect(preview).toEqual({ given, removed, passed });
    expect(removed).toEqual(["AWS_PROFILE"]);
  });
});

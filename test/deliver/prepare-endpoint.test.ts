import * as fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CloudEndpoint } from "../../src/core/endpoint.js";
import type { Grant } from "../../src/core/lease.js";
import type { Runtime } from "../../src/core/runtime.js";
import { Secret } from "../../src/core/secret.js";
import { type Delivery, type DeliveryInput, prepareDelivery, previewDelivery } from "../../src/deliver/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

const GRANT = { cloud: "gcp", channel: "endpoint", variables: { PROJECT: "acme" }, secrets: {} } as unknown as Grant;
const named = (principal: string): Grant => ({ ...GRANT, principal });

/** A protocol of one question, which is answered with whose the grant is; the same is in its file. */
const ENDPOINT: CloudEndpoint = {
  cloud: "gcp",
  variables: ({ url, secret }) => ({ PLACE: url, PROOF: secret }),
  files: (_place, { principal }) => ({ "who.txt": new Secret(principal) }),
  authorize: ({ headers }, { secret }) => headers["x-proof"] === secret.reveal(),
  answer: (_question, { principal }) => ({ status: 200, body: principal }),
  refuse: (_question, { reason }) => ({ status: 403, body: reason }),
};

let root: string;
let privateDir: string;
let delivery: Delivery | undefined;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-deliver-"));
  privateDir = path.join(root, "state", "run", "l-0000000000000001");
});
afterEach(async () => {
  await delivery?.close();
  delivery = undefined;
  fs.rmSync(root, { recursive: true, force: true });
});

function input(): DeliveryInput {
  return {
    // Nobody here descends from a child.
    profile: { name: "deploy", peerCheck: "off", env: { pass: [], set: {} } },
    terms: { leaseId: "l-0000000000000001", deadlineAt: Date.parse("2026-11-22T06:00:00Z") },
    plans: [{ variables: ["PROJECT", "PLACE", "PROOF"] }],
    actorKind: "automation",
    passEnv: [],
    alsoRemove: [],
    privateDir,
  };
}

async function prepare(endpoint: CloudEndpoint = ENDPOINT, overrides: Partial<Runtime> = {}): Promise<Delivery> {
  const deliverables = {
    grants: [named("first")],
    endpoints: [endpoint],
    current: async () => named("current"),
    onRefused: () => {},
  };
  delivery = await prepareDelivery(input(), deliverables, fakeRuntime(overrides));
  return delivery;
}

function ask({ env }: Delivery, proof = env["PROOF"]): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get(env["PLACE"] ?? "", { agent: false, headers: { "x-proof": proof } }, (answer) => {
      let body = "";
      answer.on("data", (chunk) => {
        body += chunk;
      });
      answer.on("end", () => resolve(`${answer.statusCode} ${body}`));
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "failed"));
  });
}

const fileText = (): string => fs.readFileSync(path.join(privateDir, "who.txt"), "utf8");

describe("a delivery with an endpoint", () => {
  it("gives the way to it beside what the grant says of itself, as was announced", async () => {
    const { env, given } = await prepare();
    expect(env).toMatchObject({
      PROJECT: "acme",
      PLACE: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/gcp$/),
    });
    expect(previewDelivery(input(), { env: {} }).given).toEqual(given);
  });

  it("answers nobody before the child is there, then with what is current, and counts what it refuses", async () => {
    const opened = await prepare();
    expect(await ask(opened)).toBe("403 unavailable");
    opened.watchChild(process.pid);
    expect(await ask(opened)).toBe("200 current");
    expect(await ask(opened, "wrong")).toBe("403 unauthorized");
    expect(opened.refusedCount()).toBe(2);
  });

  it("has the private files before the child is started, and puts renewed grants into them", async () => {
    const opened = await prepare();
    expect(fileText()).toBe("first");
    opened.refreshFiles([named("second")]);
    expect(fileText()).toBe("second");
  });

  it("closes both, and a renewal that comes late makes nothing anew", async () => {
    const opened = await prepare();
    opened.watchChild(process.pid);
    expect(await opened.close()).toBe(true);
    expect(await ask(opened)).toBe("ECONNREFUSED");
    opened.refreshFiles([named("late")]);
    expect(fs.existsSync(privateDir)).toBe(false);
    expect(await opened.close()).toBe(true);
  });
});

describe("a delivery that fails leaves neither a server nor a file", () => {
  it("with a metadata server that nobody could tell strangers from", async () => {
    const metadata = { variables: () => ({}), answer: ENDPOINT.answer, refuse: ENDPOINT.refuse } as never;
    expect((await thrownBy(() => prepare({ ...ENDPOINT, metadata }))).code).toBe("CONFIG_INVALID");
    expect(fs.existsSync(privateDir)).toBe(false);
  });

  it("with private files that cannot be written", async () => {
    let place = "";
    const variables: CloudEndpoint["variables"] = ({ url }) => {
      place = url;
      return {};
    };
    const openSync = ((file: string, flags: number, mode: number) => {
      if (file.includes("who.txt")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return fs.openSync(file, flags, mode);
    }) as typeof fs.openSync;
    const error = await thrownBy(() => prepare({ ...ENDPOINT, variables }, { fs: { ...fs, openSync } }));
    expect([error.code, error.message]).toEqual(["STATE_UNWRITABLE", expect.stringContaining("the disk is full")]);
    expect(fs.existsSync(privateDir)).toBe(false);
    expect(await ask({ env: { PLACE: place, PROOF: "" } } as unknown as Delivery)).toBe("ECONNREFUSED");
  });
});

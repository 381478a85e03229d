import * as fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { MetadataEndpoint } from "../../../src/core/endpoint.js";
import { AgentctlError } from "../../../src/core/errors.js";
import type { Grant } from "../../../src/core/lease.js";
import { thrownBy } from "../../thrown.js";
import { CANARY, type Fixture, type FixtureOptions, grantOf, openFixture, refuseAs, testCloud } from "./fixture.js";
import { deferred, exchange, openWire, requestText, statusOf } from "./wire.js";

const opened: Fixture[] = [];
afterEach(() => Promise.all(opened.splice(0).map((fixture) => fixture.close())));
const open = async (options: FixtureOptions = {}): Promise<Fixture> => {
  const fixture = await openFixture(options);
  opened.push(fixture);
  return fixture;
};

const goodRequest = ({ host, path: target, secret }: Fixture, ...more: string[]): string =>
  requestText({ target, headers: [`Host: ${host}`, `Authorization: ${secret}`, ...more] });
const ask = (at: Fixture, target = at.path): Promise<string> =>
  exchange(at.port, goodRequest({ ...at, path: target }, "Connection: close"));

describe("an answer", () => {
  test("says what the cloud says, is stored by nobody and open to no web page", async () => {
    const answer = await ask(await open());
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(JSON.parse(body)).toEqual({ token: CANARY, body: "" });
    const names = head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(":")[0]?.toLowerCase());
    expect(names.sort()).toEqual(
      ["cache-control", "connection", "content-length", "content-type", "date", "x-content-type-options"].sort(),
    );
    expect(head).toContain("Cache-Control: no-store");
    expect(head).toContain("content-type: application/json");
  });

  test("to a body of 64 KiB comes, and one to the path's own rest", async () => {
    const at = await open();
    const body = "scope=ä".padEnd(64 * 1024 - 1, "x");
    const length = Buffer.byteLength(body);
    expect(length).toBe(64 * 1024);
    const headers = [
      `Host: ${at.host}`,
      `Authorization: ${at.secret}`,
      `Content-Length: ${length}`,
      "Connection: close",
    ];
    const answer = await exchange(at.port, requestText({ method: "POST", target: at.path, headers, body }));
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain("xxx");
    expect(await ask(at, `${at.path}/rest/of-it`)).toContain("nothing at /rest/of-it");
  });

  test("to Java's offer of HTTP/2, and to Node's own fetch, is one like any other", async () => {
    const at = await open();
    const offer = ["Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];
    expect(await exchange(at.port, goodRequest(at, ...offer))).toContain(CANARY);
    const answer = await fetch(at.endpoint.variables["AWS_PLACE"] ?? "", { headers: { Authorization: at.secret } });
    expect(await answer.json()).toMatchObject({ token: CANARY });
  });

  test("of nothing is the same whatever was wrong with the path", async () => {
    const at = await open();
    const [first, second] = await Promise.all([ask(at, "/"), ask(at, at.path.replace("/aws", "/none"))]);
    expect(first.replace(/Date: .*/, "")).toBe(second.replace(/Date: .*/, ""));
    expect(first).toMatch(/\r\n\r\n$/);
  });
});

describe("a grant that is not there", () => {
  const rows = [
    { name: "any more", error: new AgentctlError("LEASE_ENDED", "the lease has ended"), reason: "lease-ended" },
    { name: "again", error: new AgentctlError("TOKEN_EXPIRED", "the token has ended"), reason: "lease-ended" },
    { name: "just now", error: new AgentctlError("UNREACHABLE", "AWS is away"), reason: "unavailable" },
  ] as const;
  test.each(rows)("$name is refused in the cloud's words", async ({ error, reason }) => {
    const at = await open({ current: () => Promise.reject(error) });
    const answer = await ask(at);
    expect(answer).toContain(JSON.stringify({ reason, message: error.message }));
    expect(at.refused).toMatchObject([{ cloud: "aws", reason, message: error.message }]);
  });

  const defects = [
    { name: "in what gives it", options: { current: () => Promise.reject(new Error(CANARY)) }, query: "" },
    { name: "in what words the answer", options: {}, query: "?crash" },
  ];
  test.each(defects)("for a defect $name tells nothing of it", async ({ options, query }) => {
    const at = await open(options);
    const answer = await ask(at, `${at.path}${query}`);
    expect(statusOf(answer)).toBe(500);
    expect(answer).not.toContain(CANARY);
    expect(JSON.stringify(at.refused)).not.toContain(CANARY);
    expect(at.refused).toMatchObject([{ cloud: "aws", reason: "unavailable" }]);
  });
});

describe("before and after", () => {
  test("nobody is answered before the child is there", async () => {
    const at = await open({ watched: false });
    expect(await ask(at)).toContain("has not been started yet");
    expect(at.asked()).toBe(0);
    at.endpoint.watchChild(process.pid);
    expect(await ask(at)).toContain(CANARY);
  });

  test("each lease has secrets of its own, of 256 bits", async () => {
    const [one, two] = [await open(), await open()];
    const secrets = [one, two].flatMap((at) => [at.secret, at.path.split("/")[1] ?? ""]);
    expect(new Set(secrets).size).toBe(4);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(statusOf(await exchange(two.port, goodRequest({ ...one, host: two.host })))).toBe(404);
  });

  test("a replay after the end finds nobody", async () => {
    const at = await open();
    const kept = await openWire(at.port);
    kept.say(goodRequest(at));
    await kept.until(CANARY);
    await at.endpoint.close();
    kept.say(goodRequest(at));
    expect((await kept.cut).split(CANARY)).toHaveLength(2);
    await expect(openWire(at.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(at.asked()).toBe(1);
    await at.endpoint.close();
  });

  test("what is being answered at the end is answered no more", async () => {
    const [arrival, grant] = [deferred<void>(), deferred<Grant>()];
    const current = (): Promise<Grant> => {
      arrival.resolve();
      return grant.promise;
    };
    const at = await open({ current });
    const wire = await openWire(at.port);
    wire.say(goodRequest(at));
    await arrival.promise;
    await at.endpoint.close();
    grant.resolve(grantOf("aws"));
    expect(await wire.cut).toBe("");
  });
});

describe("the private files", () => {
  test("are written when they change, whole, closed to others, and not over what a tool made of them", async () => {
    const at = await open();
    const token = path.join(at.dir, "aws/token");
    at.endpoint.refreshFiles([grantOf("aws", "first"), grantOf("gcp", "no cloud of this lease")]);
    expect(fs.readFileSync(path.join(at.dir, "aws-secret"), "utf8")).toBe(at.secret);
    expect(fs.readFileSync(token, "utf8")).toBe("first");
    expect(fs.lstatSync(token).mode & 0o777).toBe(0o600);
    expect(fs.lstatSync(path.dirname(token)).mode & 0o777).toBe(0o700);
    fs.writeFileSync(token, "a tool's own");
    at.endpoint.refreshFiles([grantOf("aws", "first")]);
    expect(fs.readFileSync(token, "utf8")).toBe("a tool's own");
    const before = fs.openSync(token, "r");
    at.endpoint.refreshFiles([grantOf("aws", "second")]);
    expect(fs.readFileSync(token, "utf8")).toBe("second");
    expect(fs.readFileSync(before, "utf8")).toBe("a tool's own");
    fs.closeSync(before);
    expect(fs.readdirSync(at.dir, { recursive: true }).sort()).toEqual(["aws", "aws-secret", "aws/token"]);
  });

  test("are not followed through a link", async () => {
    const at = await open();
    const elsewhere = path.join(at.dir, "elsewhere");
    fs.mkdirSync(elsewhere);
    fs.symlinkSync(elsewhere, path.join(at.dir, "aws"));
    expect(await thrownBy(() => at.endpoint.refreshFiles([grantOf("aws")]))).toMatchObject({
      code: "STATE_UNWRITABLE",
    });
    expect(fs.readdirSync(elsewhere)).toEqual([]);
  });

  test("that cannot be written leave nothing behind", async () => {
    const renameSync = (): never => {
      throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    };
    const at = await open({ runtime: { fs: { ...fs, renameSync } as typeof fs } });
    const error = await thrownBy(() => at.endpoint.refreshFiles([grantOf("aws")]));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE" });
    expect(error.message).toContain("the disk is full");
    expect(fs.readdirSync(at.dir)).toEqual([]);
  });

  test("are not made again after the end", async () => {
    const at = await open();
    await at.endpoint.close();
    fs.rmSync(at.dir, { recursive: true });
    at.endpoint.refreshFiles([grantOf("aws")]);
    expect(fs.existsSync(at.dir)).toBe(false);
  });
});

describe("a metadata server", () => {
  const metadata: MetadataEndpoint = {
    variables: (host) => ({ METADATA_HOST: host }),
    answer: ({ path: asked }, grant) => ({ status: 200, body: `${asked} ${grant.secrets["token"]?.value.reveal()}` }),
    refuse: (_question, refusal) => refuseAs(refusal),
  };
  const endpoints = [testCloud("aws"), testCloud("gcp", metadata)];

  test.each(["auto", "off"] as const)("is not opened with peer_check: %s", async (peerCheck) => {
    const error = await thrownBy(() => openFixture({ endpoints, peerCheck }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test.skipIf(process.platform !== "linux")("has a port of its own, and no stranger gets through", async () => {
    const at = await open({ endpoints, peerCheck: "require" });
    const host = at.endpoint.variables["METADATA_HOST"] ?? "";
    const port = Number(host.split(":")[1]);
    expect(port).not.toBe(at.port);
    const request = (theHost: string): string =>
      requestText({ target: "/computeMetadata/v1/", headers: [`Host: ${theHost}`, "Connection: close"] });
    // The test's own process is the one that the endpoint takes for the child.
    expect(await exchange(port, request(host))).toContain(`/computeMetadata/v1/ ${CANARY}`);
    expect(statusOf(await exchange(port, request(`metadata.evil.example:${port}`)))).toBe(403);
    expect(statusOf(await exchange(port, goodRequest({ ...at, host: at.host })))).toBe(403);
    at.endpoint.watchChild(1_000_000_000);
    expect(await exchange(port, request(host))).toContain("stranger");
    await at.endpoint.close();
    await expect(openWire(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

test("where nothing can be listened on, it is said what to do", async () => {
  const listen = vi.spyOn(net.Server.prototype, "listen").mockImplementation(function refuse(this: net.Server) {
    queueMicrotask(() => this.emit("error", Object.assign(new Error("refused"), { code: "EADDRNOTAVAIL" })));
    return this;
  });
  const error = await thrownBy(() => openFixture()).finally(() => listen.mockRestore());
  expect(error).toMatchObject({ code: "PLATFORM" });
});

test("peer_check: require needs Linux", async () => {
  const error = await thrownBy(() => openFixture({ peerCheck: "require", runtime: { platform: "darwin" } }));
  expect(error).toMatchObject({ code: "PLATFORM" });
});

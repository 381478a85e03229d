import { afterEach, describe, expect, test } from "vitest";
import type { Grant } from "../../../src/core/lease.js";
import { CANARY, type Fixture, type FixtureOptions, grantOf, openFixture } from "./fixture.js";
import { deferred, exchange, openWire, requestText, statusOf, type Wire } from "./wire.js";

let fixture: Fixture;
afterEach(() => fixture.close());
const open = async (options: FixtureOptions = {}): Promise<Fixture> => {
  fixture = await openFixture(options);
  return fixture;
};

const goodRequest = ({ host, path, secret }: Fixture, ...more: string[]): string =>
  requestText({ target: path, headers: [`Host: ${host}`, `Authorization: ${secret}`, ...more] });
const startOfPost = (at: Fixture, ...more: string[]): string => goodRequest(at, ...more).replace("GET", "POST");

/** Says one piece after the other without end, and answers what came until the other side cut. */
async function trickle(port: number, start: string, piece: string): Promise<string> {
  const wire = await openWire(port);
  wire.say(start);
  const timer = setInterval(() => wire.say(piece), 5);
  return wire.cut.finally(() => clearInterval(timer));
}

describe("a slow client is cut", () => {
  const quick = { requestTimeoutMs: 60, checkEveryMs: 10 };
  const rows = [
    { name: "that says nothing", start: () => "", piece: "", status: 408 },
    { name: "in the middle of its first line", start: () => "GET /", piece: "a", status: 408 },
    {
      name: "in the middle of its headers",
      start: (at: Fixture) => goodRequest(at).slice(0, -2),
      piece: "X-A: b\r\n",
      status: 408,
    },
    {
      name: "in the middle of its body",
      start: (at: Fixture) => startOfPost(at, "Content-Length: 60000"),
      piece: "a",
      status: 408,
    },
    {
      name: "in the middle of its chunks",
      start: (at: Fixture) => startOfPost(at, "Transfer-Encoding: chunked"),
      piece: "1\r\na\r\n",
      status: 408,
    },
  ];
  test.each(rows)("$name", async ({ start, piece, status }) => {
    const at = await open({ limits: quick });
    const answer = await trickle(at.port, start(at), piece);
    expect(statusOf(answer)).toBe(status);
    expect(answer).not.toContain(CANARY);
    expect(at.asked()).toBe(0);
    expect(at.refused).toMatchObject([{ reason: "slow" }]);
  });

  test("that keeps its connection and asks nothing more", async () => {
    const at = await open({ limits: { keepAliveMs: 30 } });
    const wire = await openWire(at.port);
    wire.say(goodRequest(at));
    expect(statusOf(await wire.cut)).toBe(200);
    expect(at.endpoint.refusedCount).toBe(0);
  });

  test("that waits for an answer which never comes", async () => {
    const at = await open({ limits: { answerTimeoutMs: 30 }, current: () => new Promise(() => {}) });
    expect(await exchange(at.port, goodRequest(at))).toBe("");
  });
});

describe("a flood of connections", () => {
  const openMany = (port: number, count: number): Promise<Wire[]> =>
    Promise.all(Array.from({ length: count }, () => openWire(port)));

  test("does not keep the child away", async () => {
    const at = await open({ limits: { maxConnections: 8 } });
    const silent = await openMany(at.port, 40);
    expect(await exchange(at.port, goodRequest(at, "Connection: close"))).toContain(CANARY);
    for (const wire of silent.slice(0, 32)) expect(await wire.cut).toBe("");
    for (const wire of silent) wire.hangUp();
  });

  test("cuts neither one that waits for its answer, nor first one that had an answer before", async () => {
    const second = deferred<Grant>();
    const answers = [Promise.resolve(grantOf("aws")), second.promise];
    const current = (): Promise<Grant> => answers.shift() ?? Promise.reject(new Error("asked too often"));
    const at = await open({ limits: { maxConnections: 8 }, current });
    const proven = await openWire(at.port);
    proven.say(goodRequest(at));
    await proven.until(CANARY);
    const waiting = await openWire(at.port);
    waiting.say(goodRequest(at, "Connection: close"));
    await until(() => at.asked() === 2);
    const silent = await openMany(at.port, 40);
    await Promise.all(silent.slice(0, 32).map((wire) => wire.cut));
    proven.say(requestText({ target: at.path, headers: [`Host: ${at.host}`] }));
    expect(await proven.cut).toContain("HTTP/1.1 401");
    second.resolve(grantOf("aws"));
    expect(await waiting.cut).toContain(CANARY);
    for (const wire of silent) wire.hangUp();
  });

  test("of which each waits for an answer turns newcomers away", async () => {
    const at = await open({ limits: { maxConnections: 4 }, current: () => new Promise(() => {}) });
    const waiting = await openMany(at.port, 4);
    for (const wire of waiting) wire.say(goodRequest(at));
    await until(() => at.asked() === 4);
    expect(await exchange(at.port, goodRequest(at))).toBe("");
    expect(at.asked()).toBe(4);
    for (const wire of waiting) wire.hangUp();
  });
});

describe("a flood of requests", () => {
  test("on one connection, none of them waited for, is cut and asks for one grant at most", async () => {
    const at = await open();
    const answer = await exchange(at.port, goodRequest(at).repeat(1_000));
    expect(answer).not.toContain(CANARY);
    expect(at.asked()).toBeLessThanOrEqual(1);
  });

  test("behind a refusal is not looked at", async () => {
    const at = await open();
    const wrong = requestText({ target: "/wrong", headers: [`Host: ${at.host}`] });
    const answer = await exchange(at.port, wrong + goodRequest(at));
    expect(answer).not.toContain(CANARY);
    expect(at.asked()).toBe(0);
  });

  test("behind a refusal on the same connection finds it closed", async () => {
    const at = await open();
    const wire = await openWire(at.port);
    wire.say(requestText({ target: "/wrong", headers: [`Host: ${at.host}`] }));
    await wire.until("HTTP/1.1 404");
    wire.say(goodRequest(at));
    expect(await wire.cut).not.toContain(CANARY);
    expect(at.asked()).toBe(0);
  });

  test("refused is counted, and told twenty times at most", async () => {
    const at = await open();
    const ask = (path: string): Promise<string> =>
      exchange(at.port, goodRequest({ ...at, path: `${at.path}/${path}` }, "Connection: close"));
    for (let index = 0; index < 30; index += 1) await ask(`nothing-${index}`);
    for (let index = 0; index < 5; index += 1) await ask("nothing-0");
    expect(at.refused).toHaveLength(20);
    expect(at.endpoint.refusedCount).toBe(35);
  });
});

test("one after the other on one connection, each request is answered", async () => {
  const at = await open();
  const wire = await openWire(at.port);
  for (let index = 1; index <= 50; index += 1) {
    wire.say(goodRequest(at));
    await until(() => wire.heard().split(CANARY).length === index + 1);
  }
  wire.hangUp();
  expect(at.asked()).toBe(50);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

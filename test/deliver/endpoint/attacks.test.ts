import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CANARY, type Fixture, openFixture } from "./fixture.js";
import { exchange, requestText, statusOf } from "./wire.js";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

type At = Fixture;
interface Row {
  readonly name: string;
  readonly bytes: (at: At) => string | Buffer;
  /** 0: cut without an answer. */
  readonly status: number;
}

const lines = (at: At, ...more: string[]): string[] => [`Host: ${at.host}`, `Authorization: ${at.secret}`, ...more];
const withHeaders =
  (...more: string[]) =>
  (at: At): string =>
    requestText({ target: at.path, headers: lines(at, ...more) });
const withHost =
  (host: (at: At) => string[]) =>
  (at: At): string =>
    requestText({ target: at.path, headers: [...host(at), `Authorization: ${at.secret}`] });
const withTarget =
  (target: (at: At) => string) =>
  (at: At): string =>
    requestText({ target: target(at), headers: lines(at) });
const withMethod =
  (method: string) =>
  (at: At): string =>
    requestText({ method, target: at.path, headers: lines(at) });
const withBody =
  (body: string, ...more: string[]) =>
  (at: At): string =>
    requestText({ method: "POST", target: at.path, headers: lines(at, ...more), body });
const pathSecretOf = (at: At): string => at.path.split("/")[1] ?? "";

test("what is not attacked is answered, so that the rows below say something", async () => {
  const answer = await exchange(fixture.port, withHeaders("Connection: close")(fixture));
  expect(statusOf(answer)).toBe(200);
  expect(answer).toContain(CANARY);
});

function describeAttacks(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)("$name", async ({ bytes, status }) => {
      const askedBefore = fixture.asked();
      const refusedBefore = fixture.endpoint.refusedCount;
      const answer = await exchange(fixture.port, bytes(fixture));
      expect(statusOf(answer)).toBe(status);
      expect(answer).not.toContain(CANARY);
      expect(answer.toLowerCase()).not.toContain("access-control-");
      expect(fixture.asked()).toBe(askedBefore);
      if (status > 0 && status !== 400) expect(fixture.endpoint.refusedCount).toBe(refusedBefore + 1);
    });
  });
}

describeAttacks("a web page's request", [
  { name: "with its origin", bytes: withHeaders("Origin: https://evil.example"), status: 403 },
  { name: "with the opaque origin", bytes: withHeaders("Origin: null"), status: 403 },
  { name: "with two origins", bytes: withHeaders("Origin: a", "origin: b"), status: 403 },
  { name: "of an image", bytes: withHeaders("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"), status: 403 },
  { name: "typed into the browser", bytes: withHeaders("Sec-Fetch-Dest: document"), status: 403 },
  {
    name: "a preflight",
    bytes: (at) =>
      requestText({
        method: "OPTIONS",
        target: at.path,
        headers: lines(at, "Origin: https://evil.example", "Access-Control-Request-Private-Network: true"),
      }),
    status: 403,
  },
  {
    name: "with the origin behind 2,100 other headers",
    bytes: withHeaders(...Array.from({ length: 2_100 }, () => "a:"), "Origin: https://evil.example"),
    status: 403,
  },
]);

describeAttacks("DNS rebinding", [
  { name: "another name", bytes: withHost((at) => [`Host: evil.example:${at.port}`]), status: 403 },
  { name: "localhost, which can be another's", bytes: withHost((at) => [`Host: localhost:${at.port}`]), status: 403 },
  { name: "the address without the port", bytes: withHost(() => ["Host: 127.0.0.1"]), status: 403 },
  { name: "another port", bytes: withHost(() => ["Host: 127.0.0.1:1"]), status: 403 },
  { name: "another spelling", bytes: withHost((at) => [`Host: 127.1:${at.port}`]), status: 403 },
  { name: "a longer name", bytes: withHost((at) => [`Host: ${at.host}.evil.example`]), status: 403 },
  {
    name: "the right one and another",
    bytes: withHost((at) => [`Host: ${at.host}`, "Host: evil.example"]),
    status: 403,
  },
  { name: "none", bytes: withHost(() => []), status: 400 },
  {
    name: "none, as HTTP/1.0 may",
    bytes: (at) => `GET ${at.path} HTTP/1.0\r\nAuthorization: ${at.secret}\r\n\r\n`,
    status: 403,
  },
]);

describeAttacks("the path's secret", [
  { name: "is missing", bytes: withTarget(() => "/aws"), status: 404 },
  { name: "is short", bytes: withTarget((at) => `/${pathSecretOf(at).slice(0, -1)}/aws`), status: 404 },
  { name: "is long", bytes: withTarget((at) => `/${pathSecretOf(at)}A/aws`), status: 404 },
  { name: "is another", bytes: withTarget((at) => `/${"A".repeat(pathSecretOf(at).length)}/aws`), status: 404 },
  { name: "is in another case", bytes: withTarget((at) => `/${swapCase(pathSecretOf(at))}/aws`), status: 404 },
  { name: "is the header's", bytes: withTarget((at) => `/${at.secret}/aws`), status: 404 },
  { name: "is right and the cloud missing", bytes: withTarget((at) => `/${pathSecretOf(at)}`), status: 404 },
  { name: "is right and the cloud another", bytes: withTarget((at) => `/${pathSecretOf(at)}/azure`), status: 404 },
  { name: "is right and the cloud longer", bytes: withTarget((at) => `${at.path}x`), status: 404 },
  {
    name: "is right and the cloud an object's own",
    bytes: withTarget((at) => `/${pathSecretOf(at)}/constructor`),
    status: 404,
  },
  { name: "is in the query", bytes: withTarget((at) => `/?${at.path}`), status: 404 },
]);

describeAttacks("the protocol's proof", [
  { name: "is missing", bytes: (at) => requestText({ target: at.path, headers: [`Host: ${at.host}`] }), status: 401 },
  {
    name: "is another",
    bytes: (at) => requestText({ target: at.path, headers: [`Host: ${at.host}`, "Authorization: x"] }),
    status: 401,
  },
  { name: "came twice", bytes: (at) => withHeaders(`Authorization: ${at.secret}`)(at), status: 401 },
]);

describeAttacks("a path that could be read in two ways", [
  { name: "through a parent", bytes: withTarget((at) => `/x/..${at.path}`), status: 404 },
  { name: "through the directory itself", bytes: withTarget((at) => `/.${at.path}`), status: 404 },
  { name: "ending in the parent", bytes: withTarget((at) => `${at.path}/..`), status: 404 },
  { name: "with two slashes before", bytes: withTarget((at) => `/${at.path}`), status: 404 },
  { name: "with two slashes within", bytes: withTarget((at) => at.path.replace("/aws", "//aws")), status: 404 },
  { name: "with an encoded parent", bytes: withTarget((at) => `/%2e%2e${at.path}`), status: 404 },
  { name: "with an encoded slash", bytes: withTarget((at) => at.path.replace("/aws", "%2Faws")), status: 404 },
  { name: "encoded twice", bytes: withTarget((at) => `/%252e%252e${at.path}`), status: 404 },
  { name: "with an encoded letter", bytes: withTarget((at) => at.path.replace("/aws", "/%61ws")), status: 404 },
  { name: "with a backslash", bytes: withTarget((at) => at.path.replace("/aws", "\\aws")), status: 404 },
  { name: "with an encoded NUL", bytes: withTarget((at) => `${at.path}%00`), status: 404 },
  { name: "in the absolute form", bytes: withTarget((at) => `http://${at.host}${at.path}`), status: 404 },
  { name: "of another server", bytes: withTarget((at) => `http://evil.example${at.path}`), status: 404 },
  { name: "of no server", bytes: withTarget((at) => at.path.slice(1)), status: 400 },
  { name: "of everything", bytes: withTarget(() => "*"), status: 404 },
]);

describeAttacks("a method", [
  ...["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"].map((method) => ({
    name: method,
    bytes: withMethod(method),
    status: 405,
  })),
  { name: "HEAD", bytes: withMethod("HEAD"), status: 405 },
  { name: "CONNECT", bytes: (at) => `CONNECT ${at.host} HTTP/1.1\r\nHost: ${at.host}\r\n\r\n`, status: 0 },
  { name: "a WebSocket", bytes: withHeaders("Connection: Upgrade", "Upgrade: websocket"), status: 400 },
  { name: "Expect", bytes: withBody("", "Expect: 100-continue", "Content-Length: 5"), status: 417 },
  { name: "Expect of something else", bytes: withBody("", "Expect: 200-ok", "Content-Length: 5"), status: 417 },
]);

const HEX_65537 = (65_537).toString(16);
describeAttacks("too much", [
  { name: "of a body, as announced", bytes: withBody("", "Content-Length: 65537"), status: 413 },
  {
    name: "of a body, in a chunk",
    bytes: withBody(`${HEX_65537}\r\n${"x".repeat(65_537)}\r\n`, "Transfer-Encoding: chunked"),
    status: 413,
  },
  {
    name: "of a body, in many chunks",
    bytes: withBody(`400\r\n${"x".repeat(1_024)}\r\n`.repeat(65), "Transfer-Encoding: chunked"),
    status: 413,
  },
  { name: "of a header", bytes: withHeaders(`X: ${"x".repeat(16 * 1024)}`), status: 400 },
  {
    name: "of headers",
    bytes: withHeaders(...Array.from({ length: 5_000 }, (_, index) => `X-${index}: x`)),
    status: 400,
  },
  { name: "of a path", bytes: withTarget((at) => `${at.path}/${"x".repeat(16 * 1024)}`), status: 400 },
]);

describeAttacks("smuggling", [
  {
    name: "two ways to tell the body's end",
    bytes: withBody("0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"),
    status: 400,
  },
  { name: "two lengths", bytes: withBody("abc", "Content-Length: 3", "Content-Length: 0"), status: 400 },
  { name: "a length that is no number", bytes: withBody("abc", "Content-Length: +3"), status: 400 },
  { name: "an encoding that is not the last", bytes: withBody("abc", "Transfer-Encoding: chunked, x"), status: 400 },
  { name: "a space before the colon", bytes: withHeaders("Origin : https://evil.example"), status: 400 },
  { name: "a folded line", bytes: withHeaders("X: a", " b"), status: 400 },
  { name: "a NUL", bytes: withHeaders("X: a\0b"), status: 400 },
]);

describeAttacks("what is not HTTP/1", [
  { name: "HTTP/0.9", bytes: (at) => `GET ${at.path}\r\n\r\n`, status: 403 },
  { name: "HTTP/2", bytes: () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 400 },
  { name: "TLS", bytes: () => Buffer.from("160301020001000001fc0303", "hex"), status: 400 },
  { name: "noise", bytes: () => "\x7fELF\x02\x01\x01\0\r\n\r\n", status: 400 },
]);

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}

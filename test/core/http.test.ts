import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { systemErrorCode } from "../../src/core/errors.js";
import { fetchOverHttp } from "../../src/core/http.js";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Serves on a free port of loopback; answers the URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failureOf = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(() => "no failure", systemErrorCode);

describe("an exchange", () => {
  test("GET: status, headers and body come back", async () => {
    const url = await serve((request, response) => {
      response.writeHead(418, {
        "x-method": request.method,
        "x-agent": request.headers["user-agent"],
        "set-cookie": ["a=1", "b=2"],
      });
      response.end(`über ${request.url}`);
    });
    const answer = await fetchOverHttp({ url: `${url}/a?b=c` });
    expect(answer).toMatchObject({ status: 418, body: "über /a?b=c" });
    expect(answer.headers).toMatchObject({ "x-method": "GET", "x-agent": "agentctl", "set-cookie": "a=1, b=2" });
  });

  test("POST: the body goes with its length in bytes, headers as given", async () => {
    const url = await serve(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end(JSON.stringify({ headers: request.headers, body: Buffer.concat(chunks).toString() }));
    });
    const headers = { authorization: "bearer t", "user-agent": "other" };
    const { body } = await fetchOverHttp({ url, method: "POST", headers, body: "naïve" });
    expect(JSON.parse(body)).toMatchObject({ headers: { ...headers, "content-length": "6" }, body: "naïve" });
  });

  test("a character cut in two by the network is whole again", async () => {
    const bytes = Buffer.from("€");
    const url = await serve((_, response) => {
      response.write(bytes.subarray(0, 1), () => response.end(bytes.subarray(1)));
    });
    expect((await fetchOverHttp({ url })).body).toBe("€");
  });

  test("a redirect is answered, not followed", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect(await fetchOverHttp({ url })).toMatchObject({ status: 302, headers: { location: "/elsewhere" } });
    expect(asked).toBe(1);
  });
});

describe("what may go wrong", () => {
  const rows: readonly { name: string; listener: RequestListener; want: string }[] = [
    { name: "no answer at all", listener: () => {}, want: "ETIMEDOUT" },
    { name: "headers, then silence", listener: (_, response) => response.flushHeaders(), want: "ETIMEDOUT" },
    {
      name: "a drip that never ends",
      listener: (request, response) => {
        const drip = setInterval(() => response.write("."), 20);
        request.on("close", () => clearInterval(drip));
        response.on("close", () => clearInterval(drip));
      },
      want: "ETIMEDOUT",
    },
    { name: "cut before the answer", listener: (request) => request.socket.destroy(), want: "ECONNRESET" },
    {
      name: "cut within the answer",
      listener: (request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("half", () => request.socket.destroy());
      },
      want: "ECONNRESET",
    },
    {
      name: "cut within an answer of unknown length",
      listener: (request, response) => {
        response.write("half", () => request.socket.destroy());
      },
      want: "ECONNRESET",
    },
    { name: "too long", listener: (_, response) => response.end("x".repeat(2000)), want: "EMSGSIZE" },
    {
      name: "too long, without end",
      listener: (_, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write("x".repeat(500), more);
        };
        more();
      },
      want: "EMSGSIZE",
    },
    { name: "no HTTP", listener: (request) => request.socket.end("garbage\r\n\r\n"), want: "HPE_" },
  ];
  test.each(rows)("$name", async ({ listener, want }) => {
    const url = await serve(listener);
    // Only who waits for the timeout is given a short one, so that a busy machine changes nothing.
    const timeoutMs = want === "ETIMEDOUT" ? 300 : 20_000;
    expect(await failureOf(fetchOverHttp({ url, timeoutMs, maxBytes: 1000 }))).toMatch(new RegExp(`^${want}`));
  });

  test("who sends too much is hung up on", async () => {
    let markHungUp = (): void => {};
    const hungUp = new Promise<void>((resolve) => {
      markHungUp = resolve;
    });
    const url = await serve((_, response) => {
      response.on("close", markHungUp);
      response.write("x".repeat(2000));
    });
    expect(await failureOf(fetchOverHttp({ url, maxBytes: 1000, timeoutMs: 20_000 }))).toBe("EMSGSIZE");
    await hungUp;
  });

  test("an answer of just the size allowed is taken", async () => {
    const url = await serve((_, response) => response.end("x".repeat(1000)));
    expect((await fetchOverHttp({ url, maxBytes: 1000 })).body).toHaveLength(1000);
  });

  test("nothing listens", async () => {
    const url = await serve(() => {});
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    expect(await failureOf(fetchOverHttp({ url }))).toBe("ECONNREFUSED");
  });
});

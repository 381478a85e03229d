// Stands between agentctl and the sandbox, so that `npm run endings` can hold a call open at either side of the cloud, be
// away altogether, and knows every credential that was issued, also those of which nobody else has heard.
import http from "node:http";
import https from "node:https";
import { makeCertificate } from "./certificate.mjs";

/**
 * `calls`: what was asked, by the cloud's names. `sessions`: what was issued, with the keys. `hold({call, nth, side}, act)`
 * calls `act` at once when that call is there for the nth time from now on (`before` it goes to the cloud, `after` the
 * cloud has answered it), and then keeps it until it is let go; with `isPassing` until `act` is done. `caFile` is written where the cloud's tools insist on TLS.
 */
export async function startProxy(cloud, caFile) {
  const { from, tls } = cloud.upstream;
  const target = new URL(process.env[from]);
  const agent = new https.Agent({ keepAlive: true });
  const state = { calls: [], sessions: [], holds: [], underWay: 0 };
  const listener = (request, response) => {
    state.underWay += 1;
    pass(request, response, { cloud, target, agent, state, own: url })
      .catch(() => response.destroy())
      .finally(() => {
        state.underWay -= 1;
      });
  };
  const server = tls ? https.createServer(await makeCertificate(caFile), listener) : http.createServer(listener);
  await listen(server, 0);
  const { port } = server.address();
  const url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  return {
    url,
    calls: () => state.calls,
    sessions: () => state.sessions,
    /** Whether the cloud has heard all that was asked. */
    isQuiet: () => state.underWay === 0,
    hold: (rule, act) => state.holds.push({ nth: 1, ...rule, act, seen: 0, waiting: [] }),
    /** Lets what is held go on; with `isLost` it comes to nothing. */
    letGo: (isLost = false) => {
      for (const { waiting } of state.holds.splice(0)) for (const go of waiting) go(isLost);
    },
    goAway: () => closeServer(server),
    comeBack: () => listen(server, port),
    reset: () => Object.assign(state, { calls: [], sessions: [] }),
    close: async () => {
      agent.destroy();
      if (server.listening) await closeServer(server);
    },
  };
}

async function pass(request, response, { cloud, target, agent, state, own }) {
  const body = await readAll(request);
  const asked = readRequest(request, body.toString());
  const name = cloud.nameCall(asked);
  state.calls.push(name);
  await stop(state, name, "before");
  const answer = await forward(request, body, target, agent);
  const text = answer.body.toString();
  const session = cloud.readIssued(name, asked, text);
  if (session !== undefined) state.sessions.push(session);
  await stop(state, name, "after");
  // Where a service tells its own address, whoever follows it has to come here again.
  const isToldOf = text.includes(target.origin);
  const { "content-length": _, ...headers } = answer.headers;
  response.writeHead(answer.status, isToldOf ? headers : answer.headers);
  response.end(isToldOf ? text.replaceAll(target.origin, own) : answer.body);
}

function readRequest({ method, url }, text) {
  const { pathname, searchParams } = new URL(url, "http://proxy");
  const isJson = text.startsWith("{");
  return {
    method,
    path: decodeURIComponent(pathname),
    query: searchParams,
    form: new URLSearchParams(isJson ? "" : text),
    json: isJson ? JSON.parse(text) : {},
  };
}

async function stop({ holds }, name, side) {
  for (const hold of [...holds]) {
    if (hold.call !== name || hold.side !== side) continue;
    hold.seen += 1;
    if (hold.seen !== hold.nth) continue;
    if (hold.isPassing) {
      await hold.act();
      continue;
    }
    const over = new Promise((resolve) => hold.waiting.push(resolve));
    hold.act();
    if (await over) throw new Error("lost on the way");
  }
}

function forward({ method, url, headers }, body, { hostname, port }, agent) {
  return new Promise((resolve, reject) => {
    // The host that was signed for goes along: it is a part of the signature.
    const passed = https.request({ hostname, port, path: url, method, headers, agent }, (answer) => {
      readAll(answer).then(
        (text) => resolve({ status: answer.statusCode, headers: answer.headers, body: text }),
        reject,
      );
    });
    passed.on("error", reject);
    passed.end(body);
  });
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function listen(server, port) {
  return new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
}

function closeServer(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

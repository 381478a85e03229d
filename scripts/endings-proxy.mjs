// Stands between agentctl and the sandbox's STS and IAM, so that `npm run endings` can hold a call open at either side of
// AWS, be away altogether, and knows every session that was issued, also those of which nobody else has heard.
import http from "node:http";
import https from "node:https";

/**
 * `calls`: what was asked, as `Action:role`. `sessions`: what STS issued, with the keys. `hold({call, nth, side}, act)`
 * calls `act` at once when that call is there (`before` it goes to AWS, `after` AWS has answered it), and then keeps it
 * until it is let go.
 */
export async function startProxy(target) {
  const agent = new https.Agent({ keepAlive: true });
  const state = { calls: [], sessions: [], holds: [], underWay: 0 };
  const server = http.createServer((request, response) => {
    state.underWay += 1;
    pass(request, response, { target: new URL(target), agent, state })
      .catch(() => response.destroy())
      .finally(() => {
        state.underWay -= 1;
      });
  });
  await listen(server, 0);
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => state.calls,
    sessions: () => state.sessions,
    /** Whether AWS has heard all that was asked. */
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

async function pass(request, response, { target, agent, state }) {
  const body = await readAll(request);
  const form = new URLSearchParams(body.toString());
  const name = callName(form);
  state.calls.push(name);
  await stop(state, name, "before");
  const answer = await forward(request, body, target, agent);
  const session = readSession(form, answer.body.toString());
  if (session !== undefined) state.sessions.push(session);
  await stop(state, name, "after");
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

function callName(form) {
  const role = form.get("RoleName") ?? form.get("RoleArn")?.split("/").at(-1);
  return role === undefined ? form.get("Action") : `${form.get("Action")}:${role}`;
}

async function stop({ holds }, name, side) {
  for (const hold of holds) {
    if (hold.call !== name || hold.side !== side) continue;
    hold.seen += 1;
    if (hold.seen !== hold.nth) continue;
    const over = new Promise((resolve) => hold.waiting.push(resolve));
    hold.act();
    if (await over) throw new Error("lost on the way");
  }
}

function forward({ method, url, headers }, body, target, agent) {
  const { hostname, port } = target;
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

function readSession(form, xml) {
  const part = (name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  const accessKeyId = part("AccessKeyId");
  if (accessKeyId === undefined) return undefined;
  return {
    roleArn: form.get("RoleArn"),
    name: form.get("RoleSessionName"),
    keys: { accessKeyId, secretAccessKey: part("SecretAccessKey"), sessionToken: part("SessionToken") },
  };
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

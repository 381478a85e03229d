// The least that can ask over HTTP: the asker shares the machine with who answers, and is not what is measured.
import net from "node:net";

/** A connection for one question at a time; each has to be answered with 200. */
export function connect({ hostname, port, bytes }) {
  const socket = net.connect({ host: hostname, port, noDelay: true }).setEncoding("latin1");
  let received = "";
  let waiting;
  socket.on("data", (chunk) => {
    received += chunk;
    if (received.length < lengthOf(received)) return;
    const answer = received;
    received = "";
    if (answer.startsWith("HTTP/1.1 200 ")) waiting.resolve();
    else waiting.reject(new Error(`the answer is ${answer.slice(0, answer.indexOf("\r\n"))}`));
  });
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => waiting?.reject(new Error("the connection was closed")));
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(bytes);
      }),
    // By a reset: thousands of connections in TIME_WAIT would slow down the look at all of them that a later one costs.
    close: () => socket.resetAndDestroy(),
  };
}

/** Of the head and the body; Infinity while the head is not there. */
function lengthOf(received) {
  const head = received.indexOf("\r\n\r\n");
  if (head < 0) return Number.POSITIVE_INFINITY;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, head + 2)) ?? [];
  if (length === undefined) throw new Error("an answer without Content-Length");
  return head + 4 + Number(length);
}

/** How long one question took that came with a connection of its own, in ms. */
export async function askAfresh(question) {
  const startedAt = performance.now();
  const connection = connect(question);
  await connection.ask();
  const elapsedMs = performance.now() - startedAt;
  connection.close();
  return elapsedMs;
}

/** The same over a connection that is there. */
export async function askAgain(connection) {
  const startedAt = performance.now();
  await connection.ask();
  return performance.now() - startedAt;
}

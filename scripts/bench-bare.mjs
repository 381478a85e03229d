// What the endpoint's answers are compared with: a server of Node's with nothing behind it, in a process of its own, whose
// answer is as long as one of AWS's. Prints its URL, and ends with its stdin.
import http from "node:http";

const body = JSON.stringify({ Token: "x".repeat(800) });
const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
const server = http.createServer((_, response) => response.writeHead(200, headers).end(body));
server.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`));
process.stdin.resume().on("end", () => process.exit());

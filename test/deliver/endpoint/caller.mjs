// A tool that reads the endpoint: `node caller.mjs NAME [after=PID] [as=HOST]`. Prints `NAME STATUS` for each time.
//   after=PID: asks once more, on a connection of its own, when that process is gone      only=PID: only then
//   as=HOST: connects to that spelling of the endpoint's address
import http from "node:http";

const [name, ...options] = process.argv.slice(2);
const { after, only, as } = Object.fromEntries(options.map((option) => option.split("=")));
const url = new URL(process.env.AWS_PLACE);
const headers = { Host: url.host, Authorization: process.env.AWS_SECRET };

function ask() {
  return new Promise((resolve) => {
    const request = { host: as ?? url.hostname, port: url.port, path: url.pathname, headers, agent: false };
    const show = (status) => {
      console.log(`${name} ${status}`);
      resolve();
    };
    http.get(request, (answer) => show(answer.resume().statusCode)).on("error", (error) => show(error.code));
  });
}

async function waitForEnd(pid) {
  try {
    for (;;) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } catch {}
}

if (only === undefined) await ask();
const gone = after ?? only;
if (gone !== undefined) {
  await waitForEnd(Number(gone));
  await ask();
}

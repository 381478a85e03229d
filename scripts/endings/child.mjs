// The command that runs under a lease in `npm run endings`: tells its keys over a socket, and goes when it is told to, or
// when nobody is there to tell it any more. `stubborn`: it ignores what agentctl asks it to end by; `daemon`: it leaves a
// process of its own session behind.
import { spawn } from "node:child_process";
import net from "node:net";

const { env } = process;
const traits = process.argv.slice(2);
if (traits.includes("stubborn")) for (const name of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(name, () => {});
if (traits.includes("daemon")) {
  spawn(process.execPath, [import.meta.filename, "is-daemon"], { detached: true, stdio: "ignore" }).unref();
}
const kind = traits.includes("is-daemon") ? "daemon" : "child";
const keys = kind === "child" ? await readKeys() : undefined;
const socket = net.connect(env.ENDINGS_SOCKET);
socket.on("error", () => process.exit(1));
socket.on("close", () => process.exit(0));
socket.on("data", () => process.exit(0));
socket.write(
  `${JSON.stringify({ kind, mark: env.ENDINGS_MARK, pid: process.pid, lease: env.AGENTCTL_LEASE_ID, keys })}\n`,
);

async function readKeys() {
  const cloud = await import(`./${env.ENDINGS_CLOUD}/keys.mjs`);
  return cloud.readKeys(env);
}

// A command that writes down what happens to it: `node recorder.mjs '{"log": FILE, …}'`.
//   traps: the signals that it notes and outlives      exitOn: signal → the code that it then exits with
//   startOn: signal → the same for a process that it then starts
//   child: the same for a process that it starts, with `env` if that is to be another
// Ends by itself when nobody needs it any longer.
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

const { log, traps = [], exitOn = {}, startOn = {}, child } = JSON.parse(process.argv[2]);
const note = (line) => appendFileSync(log, `${line}\n`);

for (const signal of traps) process.on(signal, () => note(signal));
for (const [signal, code] of Object.entries(exitOn)) {
  process.on(signal, () => {
    note(signal);
    process.exit(code);
  });
}
for (const [signal, spec] of Object.entries(startOn)) process.on(signal, () => start(spec));
setTimeout(() => process.exit(99), 60_000);
if (child !== undefined) start(child);
note(`pid ${process.pid}`);

function start(spec) {
  spawn(process.execPath, [process.argv[1], JSON.stringify(spec)], { stdio: "ignore", env: spec.env ?? process.env });
}

// A command that writes down what happens to it: `node recorder.mjs '{"log": FILE, …}'`.
//   traps: the signals that it notes and outlives      exitOn: signal → the code that it then exits with
//   child: the same for a process that it starts       Ends by itself when nobody needs it any longer.
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

const { log, traps = [], exitOn = {}, child } = JSON.parse(process.argv[2]);
const note = (line) => appendFileSync(log, `${line}\n`);

for (const signal of traps) process.on(signal, () => note(signal));
for (const [signal, code] of Object.entries(exitOn)) {
  process.on(signal, () => {
    note(signal);
    process.exit(code);
  });
}
setTimeout(() => process.exit(99), 60_000);
if (child !== undefined) spawn(process.execPath, [process.argv[1], JSON.stringify(child)], { stdio: "ignore" });
note(`pid ${process.pid}`);

// Stands for the agentctl that a watchdog becomes: writes down once more what it was started with.
import fs from "node:fs";

const [file, ...argv] = process.argv.slice(2);
const descriptors = fs.existsSync("/proc/self/fd")
  ? Object.fromEntries([0, 1, 2, 3].map((fd) => [fd, targetOf(fd)]))
  : {};
fs.appendFileSync(file, `${JSON.stringify({ argv, env: process.env, cwd: process.cwd(), descriptors })}\n`);

function targetOf(fd) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

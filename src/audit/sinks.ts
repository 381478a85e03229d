import { escapeControlCharacters } from "../core/control-characters.js";
import { firstLine, systemErrorCode } from "../core/errors.js";
import type { AuditSinkName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";

type Send = (line: string, runtime: Runtime) => Promise<void>;

/** Node has no datagram Unix sockets, which /dev/log is; the system's own client speaks to it, on macOS as well. */
const LOGGER = "/usr/bin/logger";
const LOGGER_TIMEOUT_MS = 3_000;
/** Without these, logger of util-linux cuts a message at 1 KiB, and says nothing when there is no syslog. */
const LINUX_OPTIONS = ["--socket-errors=on", "--size", "65536"];

/** The one list of sinks. */
const SINKS: Readonly<Record<AuditSinkName, Send>> = {
  stderr: async (line, runtime) => runtime.stderr.write(`${line}\n`),
  syslog: sendToSyslog,
};

/** Passes a record that the log already holds on to the sinks. A sink that fails costs one line of warning, no more. */
export async function sendToSinks(line: string, sinks: readonly AuditSinkName[], runtime: Runtime): Promise<void> {
  for (const name of sinks) {
    try {
      await SINKS[name](line, runtime);
    } catch (error) {
      const why = escapeControlCharacters(firstLine(error instanceof Error ? error.message : String(error)));
      runtime.stderr.write(`agentctl: warning: the audit record did not reach ${name}: ${why}\n`);
    }
  }
}

/** As `auth.notice` under the tag `agentctl`. What the syslog service cuts off or drops by itself is not seen here. */
function sendToSyslog(line: string, runtime: Runtime): Promise<void> {
  const options = ["-t", "agentctl", "-p", "auth.notice", ...(runtime.platform === "linux" ? LINUX_OPTIONS : [])];
  return new Promise((resolve, reject) => {
    const logger = runtime.spawn(LOGGER, options, {
      env: {},
      stdio: ["pipe", "ignore", "pipe"],
      timeout: LOGGER_TIMEOUT_MS,
    });
    let complaint = "";
    logger.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(0, 1_000);
    });
    logger.on("error", (error) => {
      reject(systemErrorCode(error) === "ENOENT" ? new Error(`${LOGGER} is not installed`) : error);
    });
    logger.on("close", (code, signal) => {
      if (code === 0) resolve();
      else if (signal !== null) reject(new Error(`${LOGGER} was ended by ${signal}`));
      else reject(new Error(complaint.trim() || `${LOGGER} failed with ${code}`));
    });
    // A logger that is gone already says why through its exit.
    logger.stdin?.on("error", () => {});
    logger.stdin?.end(`${line}\n`);
  });
}

import { AgentctlError } from "../../core/errors.js";
import { withFileLock } from "../../core/file-lock.js";
import type { Runtime } from "../../core/runtime.js";
import { loginFile } from "./login-record.js";

/** Runs alone on what is kept of one login, among all processes. */
export function withLogin<T>(name: string, action: () => Promise<T>, runtime: Runtime): Promise<T> {
  return withFileLock(loginFile(`${name}.lock`, runtime), action, runtime);
}

/**
 * Logging in under one name, by one process at a time: a lock of its own, since it waits for people.
 * @throws {AgentctlError} LOCK_HELD at once; and what `action` throws
 */
export async function withLoginName<T>(name: string, action: () => Promise<T>, runtime: Runtime): Promise<T> {
  let isInside = false;
  try {
    return await withFileLock(
      loginFile(`${name}.login-lock`, runtime),
      () => {
        isInside = true;
        return action();
      },
      runtime,
      { timeoutMs: 0 },
    );
  } catch (thrown) {
    if (isInside || !(thrown instanceof AgentctlError) || thrown.code !== "LOCK_HELD") throw thrown;
    throw new AgentctlError("LOCK_HELD", `another process (${thrown.facts["pid"]}) is logging in as ${name}`, {
      hint: "finish that login or end it, or take another name: agentctl login NAME",
      facts: thrown.facts,
    });
  }
}

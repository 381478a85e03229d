import { spawn } from "node:child_process";
import * as fs from "node:fs";
import type { Fetch, Output, Runtime } from "../src/core/runtime.js";

export interface CapturedOutput extends Output {
  readonly text: () => string;
}

export function captureOutput(isTTY = false): CapturedOutput {
  let written = "";
  return {
    isTTY,
    columns: 80,
    write: (text) => {
      written += text;
    },
    text: () => written,
  };
}

export type FakeRuntime = Runtime & { readonly stdout: CapturedOutput; readonly stderr: CapturedOutput };

/** Refuses whatever a test did not provide for: no network, no ambient environment, no real waiting. */
export function fakeRuntime(overrides: Partial<Runtime> = {}): FakeRuntime {
  const runtime: FakeRuntime = {
    env: {},
    cwd: "/nonexistent",
    platform: process.platform,
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    version: "0.0.0-test",
    self: ["/nonexistent/agentctl"],
    stdinIsTTY: false,
    hasTerminal: false,
    fs,
    spawn,
    fetch: refuseFetch,
    now: () => Date.now(),
    sleep: () => Promise.resolve(),
    random: () => 0.5,
    onSignal: () => () => {},
    kill: () => false,
    enter: () => true,
    ...overrides,
    stdout: captureOutput(),
    stderr: captureOutput(),
  };
  return runtime;
}

const refuseFetch: Fetch = (request) =>
  Promise.reject(new Error(`a test asked for ${new URL(request.url).origin} and provided no answer`));

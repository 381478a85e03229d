import type { spawn } from "node:child_process";
import type * as nodeFs from "node:fs";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly url: string;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The whole exchange, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** An answer longer than this is refused. Default 1 MiB. */
  readonly maxBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/**
 * One HTTP exchange; redirects are not followed, since a token must not follow one either.
 * Rejects with a Node system error (`ECONNREFUSED`, …) when there is no answer.
 * Node's own `fetch` is not used: on Node 20 its first call costs 45 ms and 13 MB.
 */
export type Fetch = (request: HttpRequest) => Promise<HttpAnswer>;

export interface Output {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/**
 * Everything ambient, handed down from `main.ts`: no other file reads the environment, the clock,
 * the network, the standard streams or the process's signals by itself.
 */
export interface Runtime {
  readonly env: Environment;
  /** Where the process was started. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  /** The numeric user id, or -1 where the platform has none. */
  readonly uid: number;
  readonly version: string;
  /** The program and its first arguments that start this agentctl again, as absolute paths. */
  readonly self: readonly [string, ...string[]];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdinIsTTY: boolean;
  /** True when the process has a controlling terminal, which delivers Ctrl-C to the whole foreground group. */
  readonly hasTerminal: boolean;
  readonly fs: typeof nodeFs;
  readonly spawn: typeof spawn;
  readonly fetch: Fetch;
  /** Wall-clock milliseconds since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** A number in [0, 1) for jitter; never for a secret. */
  random(): number;
  /** Calls `handler` for each delivery of `signal` to this process; answers the way to stop that. */
  onSignal(signal: NodeJS.Signals, handler: () => void): () => void;
  /** Sends a signal to a process id, or to a group when negative; false when there is no such process. */
  kill(pid: number, signal: NodeJS.Signals | 0): boolean;
  /** Moves the process to a directory; `cwd` stays as it is. False where it cannot be entered. */
  enter(directory: string): boolean;
}

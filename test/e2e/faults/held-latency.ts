import type { SandboxHost } from "../../../src/sandbox/index.js";

/** A sandbox's latency that is known when it begins, and lasts until it is let go. */
export interface HeldLatency {
  readonly host: Pick<SandboxHost, "sleep">;
  /** How many requests wait for their answer now. */
  readonly held: number;
  /** Answers how many were let go. */
  release(): number;
}

export function holdLatency(): HeldLatency {
  const waiting: (() => void)[] = [];
  return {
    host: { sleep: () => new Promise((resolve) => waiting.push(resolve)) },
    get held() {
      return waiting.length;
    },
    release: () => {
      const released = waiting.splice(0);
      for (const resolve of released) resolve();
      return released.length;
    },
  };
}

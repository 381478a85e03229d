import type { Runtime } from "../core/runtime.js";
import { SERVICE_NAMES, type ServiceName } from "./service.js";

/** The time as each embedded service sees it, which a test may set apart from this machine's. */
export interface SandboxClock {
  now(service: ServiceName): number;
  /** Sets how far `service` (or every one) is ahead of this machine; negative is behind. */
  setOffset(offsetMs: number, service?: ServiceName): void;
  /** Moves every service's time on. */
  advance(ms: number): void;
  offsets(): Readonly<Record<ServiceName, number>>;
}

export function createClock(runtime: Pick<Runtime, "now">): SandboxClock {
  const offsets = Object.fromEntries(SERVICE_NAMES.map((name) => [name, 0])) as Record<ServiceName, number>;
  return {
    now: (service) => runtime.now() + offsets[service],
    setOffset: (offsetMs, service) => {
      for (const name of service === undefined ? SERVICE_NAMES : [service]) offsets[name] = offsetMs;
    },
    advance: (ms) => {
      for (const name of SERVICE_NAMES) offsets[name] += ms;
    },
    offsets: () => ({ ...offsets }),
  };
}

import type { RequestNotes, ServiceName } from "./service.js";

/** One answered (or cut) request. Holds no token, key or signature. */
export interface LoggedRequest extends RequestNotes {
  /** RFC 3339, by this machine's clock. */
  readonly time: string;
  readonly service: ServiceName;
  readonly operation: string;
  /** The HTTP status, or 0 when the connection was cut. */
  readonly status: number;
  /** The service's own error code, where it refused. */
  readonly code?: string;
  /** A mark of what it was signed or sent with, the same for the same access key id or bearer token. */
  readonly credential?: string;
}

export interface RequestLog {
  add(entry: LoggedRequest): void;
  entries(): readonly LoggedRequest[];
}

/** A sandbox left running must not grow without end. */
const MAX_ENTRIES = 10_000;

export function createRequestLog(): RequestLog {
  const entries: LoggedRequest[] = [];
  return {
    add: (entry) => {
      entries.push(entry);
      if (entries.length > MAX_ENTRIES) entries.shift();
    },
    entries: () => [...entries],
  };
}

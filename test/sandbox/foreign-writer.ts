import type { Sandbox } from "../../src/sandbox/index.js";

/** Somebody else who changes a policy, a member at a time, and knows what has to be there still. */
export interface ForeignWriter {
  /** One change, at once. */
  write(): void;
  /** A change every so often, until `stop`; a policy is to have a little while of rest between two of them. */
  start(everyMs: number): void;
  stop(): void;
  writes(): number;
  /** What of its own is no longer in the policy: nothing, unless another write took it. */
  lost(): readonly string[];
}

const ROLE = "roles/logging.viewer";
/** So many members of its own stay; the oldest goes when another comes. */
const MOST = 20;

export function createForeignWriter(sandbox: Sandbox, holder: string): ForeignWriter {
  const own: string[] = [];
  let writes = 0;
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    const added = `user:foreign-${writes}@example.com`;
    const removed = own.length < MOST ? undefined : own.shift();
    sandbox.gcp.changePolicy(holder, (bindings) => [
      ...bindings.map((binding) => ({ ...binding, members: binding.members.filter((one) => one !== removed) })),
      { role: ROLE, members: [added] },
    ]);
    own.push(added);
    writes += 1;
  };
  return {
    write,
    start: (everyMs) => {
      timer = setInterval(write, everyMs);
    },
    stop: () => clearInterval(timer),
    writes: () => writes,
    lost: () => {
      const { bindings } = sandbox.gcp.policyOf(holder);
      const there = new Set(bindings.filter(({ role }) => role === ROLE).flatMap(({ members }) => members));
      return own.filter((one) => !there.has(one));
    },
  };
}

import * as fs from "node:fs";

/** A file system for a process that is killed after so many steps; a step is a call that changes something, or a byte written. */
export interface CrashingFs {
  readonly fs: typeof fs;
  /** Lives on without an end, when no number is given. */
  arm(steps?: number): void;
  /** How many steps were taken since. */
  taken(): number;
}

/** Syncs nothing: what it shows is the order of things, and not what a disk does. */
export function makeCrashingFs(): CrashingFs {
  let left = Number.POSITIVE_INFINITY;
  let taken = 0;
  const isDead = () => left <= 0;
  const step = (): void => {
    if (isDead()) throw new Error("killed");
    left -= 1;
    taken += 1;
  };
  const guard = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((...args: Parameters<T>) => {
      step();
      return call(...args);
    }) as T;
  const writeFileSync = ((fd: number, text: string) => {
    const bytes = Buffer.from(text);
    const written = bytes.subarray(0, Math.max(0, left));
    fs.writeFileSync(fd, written);
    for (const _ of bytes) step();
  }) as typeof fs.writeFileSync;
  // The system closes what a killed process had open.
  const closeSync: typeof fs.closeSync = (fd) => {
    fs.closeSync(fd);
    step();
  };
  const changing = {
    openSync: guard(fs.openSync),
    renameSync: guard(fs.renameSync),
    rmSync: guard(fs.rmSync),
    mkdirSync: guard(fs.mkdirSync),
    linkSync: guard(fs.linkSync),
    chmodSync: guard(fs.chmodSync),
    fsyncSync: guard(() => {}) as typeof fs.fsyncSync,
  };
  return {
    fs: { ...fs, ...changing, writeFileSync, closeSync },
    arm: (steps = Number.POSITIVE_INFINITY) => {
      left = steps;
      taken = 0;
    },
    taken: () => taken,
  };
}

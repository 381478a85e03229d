import fs from "node:fs";
import path from "node:path";
import type { Stage } from "../agentctl.js";

export interface EndingTold {
  readonly cloud: string;
  readonly word: string;
  readonly at: string;
  readonly until?: string;
  readonly detail: string;
  readonly steps?: readonly { readonly at: string; readonly text: string }[];
  readonly shortfall?: string;
  readonly isUnfinished?: boolean;
}

/** A lease as it stands in the ledger. */
export interface LedgerEntry {
  readonly state: string;
  /** The process that has to end it. */
  readonly owner: { readonly pid: number };
  readonly deadlineAt: number;
  readonly child?: { readonly pid: number };
  readonly grants: readonly { readonly cloud: string; readonly issuedAt?: number; readonly ending?: EndingTold }[];
}

export function ledgerIds(stage: Stage): readonly string[] {
  const dir = path.join(stage.stateDir, "leases");
  const names = fs.existsSync(dir) ? fs.readdirSync(dir) : [];
  return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
}

/** Undefined when it is not there. */
export function readEntry(stage: Stage, id: string): LedgerEntry | undefined {
  const text = readText(path.join(stage.stateDir, "leases", `${id}.json`));
  return text === undefined ? undefined : (JSON.parse(text) as LedgerEntry);
}

/** Undefined when it is not there; it may go while it is looked for. */
export function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

import type { Runtime } from "../../core/runtime.js";
import { chooseLogin } from "./default-login.js";
import { type LoginRecord, listRecords } from "./login-record.js";

/** A login as it may be shown. */
export interface LoginSummary extends LoginRecord {
  /** Whether it is the one that is taken when none is named. */
  readonly isDefault: boolean;
}

export function listLoginSummaries(runtime: Pick<Runtime, "env" | "cwd" | "fs" | "uid">): readonly LoginSummary[] {
  const choice = chooseLogin(undefined, runtime);
  const chosen = "record" in choice ? choice.record.name : undefined;
  return listRecords(runtime).map((record) => ({ ...record, isDefault: record.name === chosen }));
}

import type { Runtime } from "../../core/runtime.js";
import { type LoginRecord, listRecords, readRecord } from "./login-record.js";

type Files = Pick<Runtime, "env" | "cwd" | "fs" | "uid">;

/** The user's own choice among several logins. */
export const LOGIN_VARIABLE = "AGENTCTL_LOGIN";
const DEFAULT_NAME = "default";

/** A login to use, or why there is none. */
export type LoginChoice =
  | { readonly record: LoginRecord; readonly why: string }
  | { readonly reason: string; readonly hint?: string };

/** The login of this name; without one the one that `AGENTCTL_LOGIN` names, else the only one, else `default`. */
export function chooseLogin(name: string | undefined, runtime: Files): LoginChoice {
  const variable = runtime.env[LOGIN_VARIABLE]?.trim() ?? "";
  const wanted = name ?? (variable === "" ? undefined : variable);
  const records = listRecords(runtime);
  const names = records.map((record) => record.name).join(", ");
  if (wanted !== undefined) {
    const record = readRecord(wanted, runtime);
    if (record !== undefined)
      return { record, why: name === undefined ? `${LOGIN_VARIABLE} names it` : "it was named" };
    const others = names === "" ? "there are none yet" : `there are ${names}`;
    return { reason: `there is no login "${wanted}"`, hint: `${others}; agentctl login ${wanted} makes it` };
  }
  const [first, second] = records;
  if (first === undefined) return { reason: "nobody has logged in" };
  if (second === undefined) return { record: first, why: "it is the only one" };
  const standard = records.find((record) => record.name === DEFAULT_NAME);
  if (standard !== undefined) return { record: standard, why: "it is the default" };
  return {
    reason: `there are several logins: ${names}`,
    hint: `let ${LOGIN_VARIABLE} name one, or take it with --identity login:NAME`,
  };
}

/** The name that a command about one login means when it is given none. */
export function defaultLoginName(runtime: Files): string | undefined {
  const variable = runtime.env[LOGIN_VARIABLE]?.trim() ?? "";
  if (variable !== "") return variable;
  const choice = chooseLogin(undefined, runtime);
  return "record" in choice ? choice.record.name : undefined;
}

import path from "node:path";
import { AgentctlError } from "../../core/errors.js";
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from "../../core/private-files.js";
import type { Runtime } from "../../core/runtime.js";
import { stateDir } from "../../core/state-dir.js";

/** Where the secret of a login is kept. */
export const STORE_KINDS = ["keychain", "file"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** What is remembered of a login; the secret is elsewhere. */
export interface LoginRecord {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** As the provider granted them. */
  readonly scopes: readonly string[];
  readonly store: StoreKind;
  readonly subject: string;
  /** Epoch ms. */
  readonly loggedInAt: number;
  /** When it ends (epoch ms): where the provider gave no refresh token, and so only the one ID token is there. */
  readonly endsAt?: number;
}

type Files = Pick<Runtime, "env" | "cwd" | "fs" | "uid">;

/** In lower case, since on macOS file names differ by more than case. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SUFFIX = ".json";

/** @throws {AgentctlError} USAGE */
export function assertLoginName(name: string): void {
  if (NAME.test(name)) return;
  throw new AgentctlError("USAGE", "that is not the name of a login", {
    hint: "take lower-case letters, digits, - and _ after a letter or digit, 64 at most",
  });
}

/** A file of the logins' directory, absolute. @throws {AgentctlError} STATE_UNWRITABLE without a home directory */
export function loginFile(name: string, runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(stateDir(runtime), "logins", name);
}

/** Makes the directory, for this user alone. @throws {AgentctlError} STATE_UNWRITABLE */
export function ensureLoginDir(runtime: Files): void {
  ensurePrivateDir(stateDir(runtime), runtime);
  ensurePrivateDir(path.join(stateDir(runtime), "logins"), runtime);
}

/** The record of a login; undefined when there is none, or none that can be read. */
export function readRecord(name: string, runtime: Files): LoginRecord | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return parseRecord(name, readPrivateFile(loginFile(`${name}${SUFFIX}`, runtime), runtime.fs) ?? "");
  } catch {
    return undefined;
  }
}

/** All logins, by name. Never throws: without a state directory there are none. */
export function listRecords(runtime: Files): readonly LoginRecord[] {
  return listNames(runtime).flatMap((name) => readRecord(name, runtime) ?? []);
}

function listNames(runtime: Files): readonly string[] {
  try {
    const files = runtime.fs.readdirSync(loginFile("", runtime)).sort();
    return files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
  } catch {
    return [];
  }
}

/** @throws {AgentctlError} STATE_UNWRITABLE */
export function writeRecord(record: LoginRecord, runtime: Files): void {
  writePrivateFile(loginFile(`${record.name}${SUFFIX}`, runtime), `${JSON.stringify(record, null, 2)}\n`, runtime.fs);
}

export function removeRecord(name: string, runtime: Files): void {
  runtime.fs.rmSync(loginFile(`${name}${SUFFIX}`, runtime), { force: true });
}

function parseRecord(name: string, text: string): LoginRecord | undefined {
  const { issuer, clientId, scopes, store, subject, loggedInAt, endsAt } = JSON.parse(text) as Record<string, unknown>;
  const kind = STORE_KINDS.find((one) => one === store);
  const texts = [issuer, clientId, subject].every((value) => typeof value === "string" && value !== "");
  if (!texts || kind === undefined || !Array.isArray(scopes) || typeof loggedInAt !== "number") return undefined;
  return {
    name,
    issuer: String(issuer),
    clientId: String(clientId),
    scopes: scopes.map(String),
    store: kind,
    subject: String(subject),
    loggedInAt,
    ...(typeof endsAt === "number" && { endsAt }),
  };
}

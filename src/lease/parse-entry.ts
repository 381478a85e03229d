import type { Ending, EndingWord, EndStep, Facts } from "../core/lease.js";
import type { CommandProcess } from "../core/process-list.js";
import { parseOwner } from "../core/process-owner.js";
import { ACTOR_KINDS, CLOUD_NAMES } from "../core/profile.js";
import { ENTRY_VERSION, LEASE_STATES, type LeaseEntry, type LedgerGrant } from "./entry.js";

/** Reads one field; throws where it is not what it should be. */
type Read<T> = (value: unknown) => T;
type Fields = Readonly<Record<string, unknown>>;

const CHANNELS = ["env", "endpoint"] as const;
const ENDING_WORDS: readonly EndingWord[] = ["revoked", "removed", "fenced", "expires", "failed"];

/** Reads the text of a ledger file: the entry, or in a few words why it is none. Fields that are not known are dropped. */
export function parseEntry(text: string): LeaseEntry | { readonly problem: string } {
  try {
    const fields = readObject(JSON.parse(text));
    const { version } = fields;
    if (Number.isSafeInteger(version) && version !== ENTRY_VERSION) {
      return { problem: "it is of another version of agentctl" };
    }
    return readEntry(fields);
  } catch {
    return { problem: "it is not a ledger entry" };
  }
}

function readEntry(fields: Fields): LeaseEntry {
  if (fields["version"] !== ENTRY_VERSION) throw new TypeError("no version");
  return {
    version: ENTRY_VERSION,
    id: readString(fields["id"]),
    profile: readString(fields["profile"]),
    state: readOneOf(LEASE_STATES, fields["state"]),
    owner: readDefined(parseOwner(fields["owner"])),
    openedAt: readInstant(fields["openedAt"]),
    deadlineAt: readInstant(fields["deadlineAt"]),
    ...readOptional("waitsFor", fields, readString),
    actor: readOneOf(ACTOR_KINDS, fields["actor"]),
    identity: readStrings(fields["identity"], ["source", "issuer", "subject"]),
    command: readString(fields["command"]),
    ...readOptional("child", fields, readChild),
    graceSeconds: readCount(fields["graceSeconds"]),
    privateDir: readString(fields["privateDir"]),
    ...readOptional("receipt", fields, (receipt) => readStrings(receipt, ["file", "temporary"] as const)),
    grants: readList(fields["grants"], readGrant),
  };
}

function readGrant(value: unknown): LedgerGrant {
  const fields = readObject(value);
  return {
    cloud: readOneOf(CLOUD_NAMES, fields["cloud"]),
    channel: readOneOf(CHANNELS, fields["channel"]),
    principal: readString(fields["principal"]),
    ...readOptional("rights", fields, (rights) => readList(rights, readString)),
    undo: readFacts(fields["undo"]),
    ...readOptional("issuedAt", fields, readInstant),
    ...readOptional("usableUntil", fields, readInstant),
    ...readOptional("expiresAt", fields, readInstant),
    ...readOptional("renewed", fields, readCount),
    ...readOptional("ending", fields, readEnding),
  };
}

function readChild(value: unknown): CommandProcess {
  const { pid, startedAt, leadsGroup } = readObject(value);
  if (readCount(pid) === 0) throw new TypeError("no pid");
  return { pid: readCount(pid), startedAt: readString(startedAt), leadsGroup: readBoolean(leadsGroup) };
}

function readEnding(value: unknown): Ending {
  const fields = readObject(value);
  return {
    cloud: readOneOf(CLOUD_NAMES, fields["cloud"]),
    word: readOneOf(ENDING_WORDS, fields["word"]),
    at: readTime(fields["at"]),
    ...readOptional("until", fields, readTime),
    detail: readString(fields["detail"]),
    ...readOptional("reason", fields, readString),
    ...readOptional("steps", fields, (steps) => readList(steps, readStep)),
    ...readOptional("shortfall", fields, readString),
    ...readOptional("isUnfinished", fields, readBoolean),
    ...readOptional("retryAt", fields, readTime),
  };
}

function readStep(value: unknown): EndStep {
  const { at, text } = readObject(value);
  return { at: readTime(at), text: readString(text) };
}

function readFacts(value: unknown): Facts {
  const facts = Object.entries(readObject(value));
  return Object.fromEntries(facts.map(([name, fact]) => [name, readFact(fact)]));
}

function readFact(value: unknown): Facts[string] {
  const isPlain = ["string", "number", "boolean"].includes(typeof value);
  return isPlain ? (value as string | number | boolean) : readList(value, readString);
}

function readOptional<Name extends string, T>(name: Name, fields: Fields, read: Read<T>): { [Key in Name]?: T } {
  const value = fields[name];
  return value === undefined ? {} : ({ [name]: read(value) } as { [Key in Name]?: T });
}

function readStrings<Name extends string>(value: unknown, names: readonly Name[]): Readonly<Record<Name, string>> {
  const fields = readObject(value);
  return Object.fromEntries(names.map((name) => [name, readString(fields[name])])) as Record<Name, string>;
}

function readObject(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("no object");
  return value as Fields;
}

function readList<T>(value: unknown, read: Read<T>): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError("no list");
  return value.map((each) => read(each));
}

function readString(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("no string");
  return value;
}

function readBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("neither true nor false");
  return value;
}

function readCount(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new TypeError("no count");
  return value;
}

/** Epoch milliseconds, within what a Date can hold, so that it can be shown. */
function readInstant(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15) return value;
  throw new TypeError("no instant");
}

/** As text, in RFC 3339. */
function readTime(value: unknown): string {
  const time = readString(value);
  if (Number.isNaN(Date.parse(time))) throw new TypeError("no time");
  return time;
}

function readDefined<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("missing");
  return value;
}

function readOneOf<T extends string>(values: readonly T[], value: unknown): T {
  const found = values.find((each) => each === value);
  if (found === undefined) throw new TypeError("none of those known");
  return found;
}

import { AgentctlError, firstLine } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { makeVisible } from "../visible-text.js";
import type { SecretStore } from "./secret-store.js";

type Keytar = typeof import("keytar");

/** What a user finds the secrets under, in the keychain's own program; the account is the login's name. */
const SERVICE = "agentctl";
/** Long, since the keychain may be asking its user for a password. */
const PATIENCE_MS = 120_000;

/**
 * The keychain of the operating system: macOS's own, or on Linux whatever answers as the Secret Service.
 * @throws {AgentctlError} KEYCHAIN_UNUSABLE when its library cannot be loaded
 */
export async function openKeychain(runtime: Pick<Runtime, "sleep" | "platform">): Promise<SecretStore> {
  const keytar = await loadKeytar(runtime);
  const ask = <T>(work: Promise<T>): Promise<T> => withPatience(work, runtime);
  return {
    read: async (name) => (await ask(keytar.getPassword(SERVICE, name))) ?? undefined,
    write: (name, secret) => ask(keytar.setPassword(SERVICE, name, secret)),
    remove: async (name) => void (await ask(keytar.deletePassword(SERVICE, name))),
  };
}

/** Whether there is a library to reach a keychain with; the keychain itself is not asked, since it might ask the user. */
export async function probeKeychain(
  runtime: Pick<Runtime, "platform">,
): Promise<{ readonly usable: boolean; readonly reason: string }> {
  try {
    await loadKeytar(runtime);
    return { usable: true, reason: "the library that reaches the keychain can be loaded" };
  } catch (thrown) {
    return { usable: false, reason: thrown instanceof AgentctlError ? thrown.message : String(thrown) };
  }
}

async function loadKeytar({ platform }: Pick<Runtime, "platform">): Promise<Keytar> {
  try {
    const loaded = (await import("keytar")) as Keytar & { readonly default?: Keytar };
    return loaded.default ?? loaded;
  } catch (cause) {
    const missing = platform === "linux" ? ", or libsecret (libsecret-1.so.0) is not installed" : "";
    throw unusable(`its library cannot be loaded: the optional package keytar is not installed${missing}`, cause);
  }
}

async function withPatience<T>(work: Promise<T>, { sleep }: Pick<Runtime, "sleep">): Promise<T> {
  const outOfTime = sleep(PATIENCE_MS).then(() => {
    throw unusable("it did not answer in time: it may be locked, and waiting for its password elsewhere");
  });
  try {
    return await Promise.race([work, outOfTime]);
  } catch (cause) {
    if (cause instanceof AgentctlError) throw cause;
    throw unusable(explain(cause), cause);
  } finally {
    outOfTime.catch(() => {});
  }
}

/** libsecret's and GLib's words, whose codes keytar does not hand on. */
const EXPLANATIONS: readonly (readonly [RegExp, string])[] = [
  [
    /autolaunch D-Bus|DBUS_SESSION_BUS_ADDRESS|Could not connect|No such file/i,
    "there is no session bus to reach it on",
  ],
  [/not provided by any \.service|ServiceUnknown|NameHasNoOwner/i, "no Secret Service runs here"],
  [/locked|dismissed|cancel/i, "it is locked, and was not unlocked"],
  [
    /no such (secret )?collection|Object does not exist/i,
    "it has no collection to keep the token in, and none was made",
  ],
];

function explain(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return EXPLANATIONS.find(([words]) => words.test(text))?.[1] ?? makeVisible(firstLine(text));
}

function unusable(why: string, cause?: unknown): AgentctlError {
  return new AgentctlError("KEYCHAIN_UNUSABLE", `the keychain cannot be used: ${why}`, {
    hint: "unlock or start it; on a machine without one, agentctl login --store file keeps the token in a file that only you can read",
    cause,
  });
}

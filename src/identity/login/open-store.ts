import { AgentctlError } from "../../core/errors.js";
import { readPrivateFile, writePrivateFile } from "../../core/private-files.js";
import type { Runtime } from "../../core/runtime.js";
import { openKeychain } from "./keychain.js";
import { ensureLoginDir, loginFile, type StoreKind } from "./login-record.js";
import type { SecretStore } from "./secret-store.js";

/** @throws {AgentctlError} KEYCHAIN_UNUSABLE when the keychain's library cannot be loaded */
export async function openStore(kind: StoreKind, runtime: Runtime): Promise<SecretStore> {
  return kind === "keychain" ? openKeychain(runtime) : fileStore(runtime);
}

/** A file that only this user may read: for machines that have no keychain. */
function fileStore(runtime: Runtime): SecretStore {
  const fileOf = (name: string): string => loginFile(`${name}.secret`, runtime);
  return {
    read: async (name) => readOwn(fileOf(name), runtime),
    write: async (name, secret) => {
      ensureLoginDir(runtime);
      writePrivateFile(fileOf(name), secret, runtime.fs);
    },
    remove: async (name) => runtime.fs.rmSync(fileOf(name), { force: true }),
  };
}

/** Refuses a file that somebody else could have put there or could read. */
function readOwn(file: string, runtime: Runtime): string | undefined {
  const stat = runtime.fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const isOwn = stat.isFile() && (runtime.uid < 0 || stat.uid === runtime.uid) && (stat.mode & 0o077) === 0;
  if (isOwn) return readPrivateFile(file, runtime.fs);
  throw new AgentctlError("STATE_UNWRITABLE", `${file} is not a private file of this user's own`, {
    hint: "remove it, and log in again",
  });
}

import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { type LoginSummary, listLogins, probeKeychain } from "../identity/index.js";
import type { Check } from "./check.js";
import { type Finding, note, ok, warn } from "./finding.js";

const HINT = "agentctl login --store file keeps the token in a file that only you can read";

/** Where `agentctl login` keeps its secrets. It is not opened: that might ask the user for a password. */
export const checkKeychain: Check = {
  name: "keychain",
  async run({ runtime }) {
    const logins = listLogins(runtime);
    return [await judgeKeychain(logins, runtime), ...logins.flatMap(judgeFile)];
  },
};

/** What is missing matters only to those who have logged in with it. */
async function judgeKeychain(logins: readonly LoginSummary[], runtime: Runtime): Promise<Finding> {
  const names = logins.filter(({ store }) => store === "keychain").map(({ name }) => name);
  const { usable, reason } = await probeKeychain(runtime);
  const why = usable ? missingBus(runtime) : reason;
  const users = names.length === 0 ? "" : `; the token of ${names.join(" and ")} is kept there`;
  if (why === undefined) return ok(`${reason}; whether it is unlocked is not tried${users}`);
  if (names.length > 0) return warn("KEYCHAIN_UNUSABLE", `${why}${users}`, HINT);
  return note(`${why}; only agentctl login needs one`, HINT);
}

function missingBus(runtime: Runtime): string | undefined {
  if (runtime.platform === "darwin" || hasSessionBus(runtime)) return undefined;
  return "there is no session bus to reach a keychain on";
}

/** The address that the Secret Service's clients use, or the socket that they fall back to (D-Bus specification, sd-bus(3)). */
function hasSessionBus({ env, fs }: Runtime): boolean {
  if ((env["DBUS_SESSION_BUS_ADDRESS"] ?? "") !== "") return true;
  const dir = env["XDG_RUNTIME_DIR"];
  return dir !== undefined && path.isAbsolute(dir) && fs.existsSync(path.join(dir, "bus"));
}

function judgeFile({ name, store }: LoginSummary): Finding[] {
  return store === "file" ? [note(`the token of login ${name} is in a file, as was asked for`)] : [];
}

import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import type { Check } from "./check.js";
import { note, ok } from "./finding.js";

/** Where `agentctl login` would keep a refresh token. It is not opened: that might ask the user for a password. */
export const checkKeychain: Check = {
  name: "keychain",
  run({ runtime }) {
    if (runtime.platform === "darwin") return [ok("the keychain of macOS")];
    if (hasSessionBus(runtime))
      return [ok("a session bus is there; whether a Secret Service answers on it is not tried")];
    return [note("no session bus, so no keychain: only agentctl login would need one")];
  },
};

/** The address that the Secret Service's clients use, or the socket that they fall back to (D-Bus specification, sd-bus(3)). */
function hasSessionBus({ env, fs }: Runtime): boolean {
  if ((env["DBUS_SESSION_BUS_ADDRESS"] ?? "") !== "") return true;
  const dir = env["XDG_RUNTIME_DIR"];
  return dir !== undefined && path.isAbsolute(dir) && fs.existsSync(path.join(dir, "bus"));
}

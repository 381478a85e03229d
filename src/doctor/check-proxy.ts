import { setProxyVariables } from "../core/proxy-variables.js";
import type { Check } from "./check.js";
import { note, ok } from "./finding.js";

export const checkProxy: Check = {
  name: "proxy",
  run({ runtime }) {
    const set = setProxyVariables(runtime.env);
    if (set.length === 0) return [ok("no proxy is set")];
    const message = `${set.join(" and ")} ${set.length === 1 ? "is" : "are"} set: the command's tools go that way, this machine's own addresses excepted`;
    return [note(message, "agentctl itself asks the clouds and the token services directly")];
  },
};

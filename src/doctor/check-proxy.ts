import type { Check } from "./check.js";
import { note, ok } from "./finding.js";

const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] as const;

/** Names only: a proxy's URL often holds a password. */
export const checkProxy: Check = {
  name: "proxy",
  run({ runtime }) {
    const set = VARIABLES.filter((name) => (runtime.env[name] ?? "") !== "");
    if (set.length === 0) return [ok("no proxy is set")];
    const message = `${set.join(" and ")} ${set.length === 1 ? "is" : "are"} set: the command's tools go that way, this machine's own addresses excepted`;
    return [note(message, "agentctl itself asks the clouds and the token services directly")];
  },
};

import type { Channel } from "../core/profile.js";

/** The key of the profile that says how long a grant lasts, by the channel that it takes. */
export function lifetimeKey(channel: Channel): "ttl" | "credential_ttl" {
  return channel === "env" ? "ttl" : "credential_ttl";
}

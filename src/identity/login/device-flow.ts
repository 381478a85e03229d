import * as oidc from "openid-client";
import { formatDuration } from "../../core/durations.js";
import { AgentctlError } from "../../core/errors.js";
import { makeVisible } from "../visible-text.js";
import type { Tokens } from "./provider.js";
import { assertSafeAddress } from "./provider-fetch.js";
import type { Tell } from "./tell.js";

/** Whether the provider has a device login (RFC 8628). */
export function hasDeviceFlow(config: oidc.Configuration): boolean {
  return config.serverMetadata().device_authorization_endpoint !== undefined;
}

/**
 * The device grant: the user logs in on any machine, with a code.
 * @throws {AgentctlError} CONFIG_INVALID when the provider has none; and what openid-client throws
 */
export async function logInByDevice(
  config: oidc.Configuration,
  scopes: readonly string[],
  tell: Tell,
): Promise<Tokens> {
  if (!hasDeviceFlow(config)) {
    throw new AgentctlError("CONFIG_INVALID", "this provider offers no login by device code", {
      hint: "leave --device out; where no browser can be opened, --no-browser shows the address",
    });
  }
  const device = await oidc.initiateDeviceAuthorization(config, { scope: scopes.join(" ") });
  assertSafeAddress(device.verification_uri);
  tell(`open ${makeVisible(device.verification_uri)} and enter the code ${makeVisible(device.user_code)}`);
  if (device.verification_uri_complete !== undefined) {
    tell(`or open ${makeVisible(device.verification_uri_complete, 1000)}, and see that it shows the same code`);
  }
  tell(`waiting for at most ${formatDuration(device.expires_in)}`);
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, device);
  if (tokens.id_token !== undefined) return tokens;
  throw new AgentctlError("BAD_ANSWER", "the provider gave no ID token", { hint: "it has to know the scope openid" });
}

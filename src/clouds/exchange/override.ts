import { AgentctlError } from "../../core/errors.js";

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads a variable that sends a run to another service than the cloud's own. What was wrong is said without the
 * value, which may hold a password.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function readOverride(variable: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !(url.protocol === "https:" || url.protocol === "http:")) {
    throw new AgentctlError("ENDPOINT_INVALID", `${variable} is not an https URL`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new AgentctlError("ENDPOINT_INVALID", `${variable} holds a user, a query or a fragment`, {
      hint: "give only the scheme, the host, the port and the path",
    });
  }
  if (url.protocol === "http:" && !LOOPBACK_HOST.test(url.hostname)) {
    throw new AgentctlError("ENDPOINT_INVALID", `${variable} would send the token to ${url.hostname} without TLS`, {
      hint: "use https, or http only for this machine's own loopback address",
    });
  }
  return url;
}

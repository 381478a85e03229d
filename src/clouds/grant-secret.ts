import { AgentctlError } from "../core/errors.js";
import type { Grant, IssuedSecret } from "../core/lease.js";

/**
 * The part of a grant's credential with this name.
 * @throws {AgentctlError} DEFECT when the room that issued the grant did not put it there
 */
export function grantSecret(grant: Grant, name: string): IssuedSecret {
  const secret = grant.secrets[name];
  if (secret === undefined) throw new AgentctlError("DEFECT", `the grant of ${grant.cloud} has no ${name}`);
  return secret;
}

import { AgentctlError } from "../../../core/errors.js";
import { fieldOf } from "../../exchange/wire.js";

const GONE = /\b(?:service account|user|group) (\S+@\S+) does not exist/i;

/**
 * Whether Google refused a write over a member that was in the policy when it was read: it was deleted since, and the
 * policy has it as deleted when it is read again.
 */
export function isOfGoneMember(error: unknown, bindings: readonly unknown[]): error is AgentctlError {
  if (!(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED") return false;
  const email = GONE.exec(error.message)?.[1]?.toLowerCase();
  if (email === undefined) return false;
  const members = bindings.flatMap((binding) => fieldOf(binding, "members") ?? []);
  return members.some((member) => typeof member === "string" && member.toLowerCase().endsWith(`:${email}`));
}

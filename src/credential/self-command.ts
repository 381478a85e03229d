import type { ResolvedCommand } from "../core/decision.js";
import { AgentctlError } from "../core/errors.js";
import type { Profile } from "../core/profile.js";
import type { CredentialRequest } from "./request.js";

/**
 * The command as the profile's `commands` are matched against it, and as it is on record: without the options that
 * change nothing about what is handed out.
 */
export function commandOf({ cloud, format }: Pick<CredentialRequest, "cloud" | "format">): ResolvedCommand["argv"] {
  return ["agentctl", "credential", cloud, ...(cloud === "gcp" ? ["--format", format] : [])];
}

/**
 * A profile that permits some commands only has to permit this one by its name, such as `agentctl credential aws`:
 * whoever holds the credential itself can do more with it than any one program. The name means what it means on PATH,
 * as for every command; where no command is singled out it need not be there, and its path is then the name.
 * @throws {AgentctlError} COMMAND_DENIED
 */
export function resolveSelf(
  argv: ResolvedCommand["argv"],
  { name, commands }: Pick<Profile, "name" | "commands">,
  resolve: (name: string) => string | undefined,
): ResolvedCommand {
  const path = resolve(argv[0]);
  if (path !== undefined || commands === undefined) return { argv, path: path ?? argv[0] };
  const message = `profile "${name}" permits some commands only, and agentctl is not on the PATH`;
  throw new AgentctlError("COMMAND_DENIED", message, {
    hint: 'put agentctl on the PATH; the profile has to permit it by name, such as "agentctl credential *"',
  });
}

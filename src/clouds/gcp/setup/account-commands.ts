import { shellCommand, shellQuote } from "../../setup/shell.js";
import type { ServiceAccount } from "./service-account.js";

/** `bind` runs a command, and where something was just made, tries it again: not every service knows of it at once. */
export const BIND = `# What was just made is not known everywhere at once: then a binding is tried again.
pauses=""
bind() {
  for pause in $pauses; do
    "$@" >/dev/null && return
    echo "trying again in $pause seconds" >&2
    sleep "$pause"
  done
  "$@" >/dev/null
}`;
/** For where something was made. */
export const JUST_MADE = 'pauses="5 10 20 30"';

/** A service account, unless it is there already, and who may be it. */
export function accountCommands({ email, accountId, projectId }: ServiceAccount, principal: string): string {
  const accounts = ["gcloud", "iam", "service-accounts"];
  const project = projectId === undefined ? [] : [`--project=${shellQuote(projectId)}`];
  const made =
    projectId === undefined
      ? []
      : [
          unlessThere(
            [...accounts, "describe", shellQuote(email), ...project],
            `${shellCommand([...accounts, "create", shellQuote(accountId), ...project])}\n${JUST_MADE}`,
          ),
        ];
  const bind = shellCommand(
    ["bind", ...accounts, "add-iam-policy-binding", shellQuote(email), ...project],
    [["--role=roles/iam.workloadIdentityUser"], [`--member=${shellQuote(principal)}`], ["--condition=None"]],
  );
  return [...made, `# One subject of the pool, and no other, may be the service account.\n${bind}`].join("\n\n");
}

export function unlessThere(describe: readonly string[], create: string): string {
  return `if ! ${describe.join(" ")} >/dev/null 2>&1; then\n${indent(create)}\nfi`;
}

export function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

import { shellCommand, shellQuote } from "../../setup/shell.js";
import type { ServiceAccount } from "./service-account.js";

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
            shellCommand([...accounts, "create", shellQuote(accountId), ...project]),
          ),
        ];
  const bind = shellCommand(
    [...accounts, "add-iam-policy-binding", shellQuote(email), ...project],
    [["--role=roles/iam.workloadIdentityUser"], [`--member=${shellQuote(principal)}`], ["--condition=None"]],
  );
  return [...made, `# One subject of the pool, and no other, may be the service account.\n${bind} >/dev/null`].join(
    "\n\n",
  );
}

export function unlessThere(describe: readonly string[], create: string): string {
  return `if ! ${describe.join(" ")} >/dev/null 2>&1; then\n${indent(create)}\nfi`;
}

export function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

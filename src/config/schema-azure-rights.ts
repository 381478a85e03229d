import * as z from "zod/mini";
import { quoteValue } from "./problems.js";
import { readyValue } from "./schema-ready.js";
import { filledList, plainText, textValue } from "./schema-values.js";

const SCOPE_EXAMPLE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group";
/** What the characters of a resource id are; nothing of it leads elsewhere, or is a query. */
const SCOPE =
  "^/(?:subscriptions|providers/Microsoft\\.Management/managementGroups)(?:/[\\w().:@$*~-][\\w().:@$*~ -]*)+/?$";
const isScope = new RegExp(SCOPE, "i");
const PERMISSION = "^[A-Za-z][A-Za-z0-9.]*(?:/[A-Za-z0-9._-]+)+$";
const MAX_ROLE = 512;

const scope = textValue("A resource id", explainScope, { pattern: SCOPE, examples: [SCOPE_EXAMPLE] });

/** What a profile assigns for the time of a lease, and who does. @param clientId the schema of an application's id */
export function azureRights<Id extends z.core.$ZodType>(clientId: Id) {
  return {
    granter: z.optional(
      z.strictObject({ client_id: clientId }).register(z.globalRegistry, {
        description: "The application that gives the assignments and takes them back",
      }),
    ),
    assignments: z.optional(
      filledList(
        "Roles that the child has for the time of the lease, and no longer",
        z.strictObject({
          role: plainText("A role's name, such as Reader, or the id of its definition", MAX_ROLE),
          scope,
        }),
      ),
    ),
    allow_unbounded: z.optional(
      z.boolean().register(z.globalRegistry, {
        description:
          "Where the tenant has no licence for assignments that end by themselves, give such as stay until they are taken back. Default false",
      }),
    ),
    ready: z.optional(readyValue(PERMISSION, "Microsoft.Storage/storageAccounts/read", scope)),
  } as const;
}

function explainScope(value: string): string | undefined {
  if (isScope.test(value) && !/\/\.{1,2}(\/|$)/.test(value)) return undefined;
  return `${quoteValue(value)} is not a resource id such as ${SCOPE_EXAMPLE}`;
}

import * as z from "zod/mini";
import { quoteValue } from "./problems.js";
import { azureRights } from "./schema-azure-rights.js";
import { audienceValue, filledList, textValue } from "./schema-values.js";

const UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const DOMAIN = "([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}";
const EXAMPLE = "https://management.azure.com/.default";
const isUuid = new RegExp(`^${UUID}$`);
const isTenant = new RegExp(`^(${UUID}|${DOMAIN})$`);
/** With these Microsoft Entra takes the tenant of whoever signs in, and here nobody does. */
const NO_TENANT: readonly string[] = ["common", "organizations", "consumers", "adfs"];

/** The `azure` block of a profile, as written. What may come from a parent is optional here and asked for when resolved. */
export const azureSchema = z
  .strictObject({
    tenant_id: z.optional(
      textValue("The Microsoft Entra tenant: its id, or one of its domains", explainTenant, {
        pattern: `^(${UUID}|${DOMAIN})$`,
      }),
    ),
    client_id: z.optional(uuid("The application that the child will be: its application (client) id")),
    client_ids: z.optional(
      filledList(
        "In the place of client_id: several, of which a lease takes one that no other lease has",
        uuid("An application (client) id"),
      ),
    ),
    subscription_id: z.optional(uuid("The subscription that the child finds as AZURE_SUBSCRIPTION_ID")),
    scopes: z.optional(
      filledList(
        `What to get tokens for, one a resource; the first is AZURE_ACCESS_TOKEN. Default ${EXAMPLE}`,
        textValue("A resource and /.default", explainScope, { pattern: "^\\S+/\\.default$", examples: [EXAMPLE] }),
      ),
    ),
    audience: z.optional(audienceValue("api://AzureADTokenExchange", 600)),
    ...azureRights(uuid("Its application (client) id; nothing but agentctl is given its token")),
  })
  .check(z.describe("What to be in Azure"));

export type AzureBlock = z.infer<typeof azureSchema>;

function uuid(description: string) {
  return textValue(
    description,
    (value) =>
      isUuid.test(value)
        ? undefined
        : `${quoteValue(value)} is not an id such as 00000000-0000-0000-0000-000000000000 (32 hexadecimal digits)`,
    { pattern: `^${UUID}$` },
  );
}

function explainTenant(value: string): string | undefined {
  if (NO_TENANT.includes(value.toLowerCase()))
    return `${quoteValue(value)} is no tenant: write its id or a domain of it`;
  if (isTenant.test(value)) return undefined;
  return `${quoteValue(value)} is neither a tenant's id nor a domain such as contoso.onmicrosoft.com`;
}

function explainScope(value: string): string | undefined {
  if (/\s/.test(value)) return "has a space in it: a token is for one resource, so write each as an entry of its own";
  if (!value.endsWith("/.default")) return `does not end in /.default; write it like ${EXAMPLE}`;
  const resource = value.slice(0, -"/.default".length);
  if (isUuid.test(resource) || /^(https|api):\/\/[^/?#]+[^?#]*$/.test(resource)) return undefined;
  return `names no resource before /.default; write it like ${EXAMPLE}`;
}

import * as z from "zod/mini";
import { gcpResource } from "./gcp-resource.js";
import { quoteValue } from "./problems.js";
import { readyValue } from "./schema-ready.js";
import { filledList, textValue } from "./schema-values.js";

const ROLE = "^(?:roles|projects/[a-z0-9.:-]{1,60}/roles|organizations/\\d{1,30}/roles)/[A-Za-z0-9_.]+$";
const ENTITLEMENT =
  "^(?:projects/[a-z0-9.:-]{1,60}|folders/\\d{1,30}|organizations/\\d{1,30})/locations/[a-z0-9-]+/entitlements/[a-z][a-z0-9-]{2,62}$";
const ENTITLEMENT_EXAMPLE = "projects/my-project/locations/global/entitlements/my-entitlement";
const PERMISSION = "^[a-z][A-Za-z0-9]*(?:\\.[A-Za-z][A-Za-z0-9_-]*)+$";
const ACCOUNT = "^[a-z0-9][a-z0-9-]*@(?:[a-z0-9-]+\\.)+gserviceaccount\\.com$";

const role = matching("A role", ROLE, "is not a role such as roles/storage.objectViewer");

/** What a profile gives for the time of a lease, and who gives it. */
export const GCP_RIGHTS = {
  granter: z.optional(
    z
      .strictObject({
        service_account: matching(
          "Its e-mail address; nothing but agentctl is given its token",
          ACCOUNT,
          "is not a service account's e-mail address such as granter@my-project.iam.gserviceaccount.com",
        ),
      })
      .register(z.globalRegistry, { description: "The service account that gives the bindings and takes them back" }),
  ),
  bindings: z.optional(
    filledList(
      "Roles that the child has for the time of the lease, and no longer",
      z.strictObject({ role, resource: gcpResource }),
    ),
  ),
  entitlement: z.optional(
    textValue(
      "An entitlement of Privileged Access Manager: a grant of it is asked for, and revoked at the end",
      (value) =>
        new RegExp(ENTITLEMENT).test(value)
          ? undefined
          : `${quoteValue(value)} is not an entitlement such as ${ENTITLEMENT_EXAMPLE}`,
      { pattern: ENTITLEMENT, examples: [ENTITLEMENT_EXAMPLE] },
    ),
  ),
  ready: z.optional(readyValue(PERMISSION, "storage.objects.get", gcpResource)),
} as const;

function matching(description: string, pattern: string, problem: string) {
  const expression = new RegExp(pattern);
  return textValue(description, (value) => (expression.test(value) ? undefined : `${quoteValue(value)} ${problem}`), {
    pattern,
  });
}

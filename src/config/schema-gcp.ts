import * as z from "zod/mini";
import { quoteValue } from "./problems.js";
import { GCP_RIGHTS } from "./schema-gcp-rights.js";
import { audienceValue, filledList, plainText, textValue } from "./schema-values.js";

const PROVIDER_EXAMPLE = "projects/123456789/locations/global/workloadIdentityPools/my-pool/providers/my-provider";
const ACCOUNT = "^[a-z0-9][a-z0-9-]*@([a-z0-9-]+\\.)+gserviceaccount\\.com$";
const PROJECT = "^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$";
const BUCKET = "^//storage\\.googleapis\\.com/projects/_/buckets/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$";
const ROLE = "^inRole:(roles|projects/[^/\\s]+/roles|organizations/\\d+/roles)/[A-Za-z0-9_.]+$";
const SCOPE_EXAMPLE = "https://www.googleapis.com/auth/cloud-platform";
/** Google's own limits of a Credential Access Boundary. */
const MAX_RULES = 10;
const MAX_PERMISSIONS = 10;

const boundaryRule = z.strictObject({
  available_resource: matching(
    "A Cloud Storage bucket",
    BUCKET,
    "is not a bucket such as //storage.googleapis.com/projects/_/buckets/NAME, the only kind that Google narrows",
  ),
  available_permissions: filledList(
    "What may be done with it, as roles",
    matching("A role", ROLE, "is not a role such as inRole:roles/storage.objectViewer"),
  ).check(z.maxLength(MAX_PERMISSIONS)),
  availability_condition: z.optional(
    z
      .strictObject({
        expression: plainText("A condition in CEL, such as resource.name.startsWith('…')", 4096),
        title: z.optional(plainText("A name for it", 100)),
        description: z.optional(plainText("What it is for", 256)),
      })
      .check(z.describe("When it may be done")),
  ),
});

/** The `gcp` block of a profile, as written. What may come from a parent is optional here and asked for when resolved. */
export const gcpSchema = z
  .strictObject({
    workload_identity_provider: z.optional(
      textValue("The provider that the identity token is traded at", explainProvider, {
        pattern: "^projects/\\d+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$",
        examples: [PROVIDER_EXAMPLE],
      }),
    ),
    service_account: z.optional(
      matching(
        "The service account that the child will be. Default: the federated identity itself",
        ACCOUNT,
        "is not a service account's e-mail address such as deploy@my-project.iam.gserviceaccount.com",
      ),
    ),
    project_id: z.optional(
      matching("The project that the child finds as GOOGLE_CLOUD_PROJECT", PROJECT, "is not a project's id"),
    ),
    scopes: z.optional(
      filledList(
        `What the token may be used for. Default ${SCOPE_EXAMPLE}`,
        matching("An OAuth scope", "^https://[!-~]+$", `is not a scope such as ${SCOPE_EXAMPLE}`),
      ),
    ),
    access_boundary: z.optional(
      z
        .array(boundaryRule)
        .check(
          z.maxLength(MAX_RULES),
          z.describe("All that the token may do; Cloud Storage only. Default: no boundary"),
        ),
    ),
    metadata: z.optional(
      z
        .boolean()
        .check(z.describe("Serve a metadata server too, for tools that read nothing else; needs peer_check: require")),
    ),
    audience: z.optional(audienceValue("the provider's own", 1024)),
    ...GCP_RIGHTS,
  })
  .check(z.describe("What to be in Google Cloud, and how narrowly"));

export type GcpBlock = z.infer<typeof gcpSchema>;

function matching(description: string, pattern: string, problem: string) {
  const expression = new RegExp(pattern);
  return textValue(description, (value) => (expression.test(value) ? undefined : `${quoteValue(value)} ${problem}`), {
    pattern,
  });
}

/** Each part checked, so that the message says which is wrong. */
function explainProvider(value: string): string | undefined {
  if (/^(https:)?\/\/iam\.googleapis\.com\//.test(value))
    return "must begin with projects/, without iam.googleapis.com before it";
  if (value.includes("workforcePools/"))
    return "is of a workforce pool, which is for people: write a workload identity pool's";
  const match = /^projects\/([^/]+)\/locations\/([^/]+)\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
    value,
  );
  if (match === null) return `is not a provider such as ${PROVIDER_EXAMPLE}`;
  const [, project = "", location = "", pool = "", provider = ""] = match;
  if (!/^\d+$/.test(project))
    return `names the project by its id, ${quoteValue(project)}; Google wants its number here`;
  if (location !== "global") return `names the location ${quoteValue(location)}; a workload identity pool is global`;
  return explainId("pool", pool) ?? explainId("provider", provider);
}

function explainId(kind: string, value: string): string | undefined {
  if (/^[a-z0-9-]{4,32}$/.test(value)) return undefined;
  return `the ${kind}'s id ${quoteValue(value)} is not of 4 to 32 lower-case letters, digits and dashes`;
}

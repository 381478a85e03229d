import { quoteValue } from "./problems.js";
import { textValue } from "./schema-values.js";

/** An id, that of a domain's project such as `example.com:web`, or a number. */
const PROJECT = "(?:[a-z0-9-]{1,40}(?:\\.[a-z0-9-]{1,40}){0,4}:)?[a-z0-9][a-z0-9-]{0,59}";
const BUCKET = "[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]";
const EMAIL = "[a-z0-9][a-z0-9-]*@(?:[a-z0-9-]+\\.)+gserviceaccount\\.com";
const HIERARCHY = `projects/${PROJECT}|folders/\\d{1,30}|organizations/\\d{1,30}`;

/** The short forms, and what stands before them in full. */
const SHORT = new RegExp(`^(?:(${HIERARCHY})|buckets/(${BUCKET})|serviceAccounts/(${EMAIL}))$`);
const FULL =
  `//cloudresourcemanager\\.googleapis\\.com/(?:${HIERARCHY})` +
  `|//storage\\.googleapis\\.com/projects/_/buckets/${BUCKET}` +
  `|//iam\\.googleapis\\.com/projects/(?:-|${PROJECT})/serviceAccounts/${EMAIL}`;
const isFull = new RegExp(`^(?:${FULL})$`);
const FORMS = "projects/ID, folders/NUMBER, organizations/NUMBER, buckets/NAME or serviceAccounts/EMAIL";

/** What something is given on: a full resource name, or the short form of one. */
export const gcpResource = textValue("A resource", explainResource, {
  pattern: `^(?:${FULL}|${HIERARCHY}|buckets/${BUCKET}|serviceAccounts/${EMAIL})$`,
  examples: ["projects/my-project", "buckets/my-bucket", "//storage.googleapis.com/projects/_/buckets/my-bucket"],
});

/** The full resource name. What is neither that nor a short form stays as it is. */
export function writeOutResource(written: string): string {
  const [, holder, bucket, email] = SHORT.exec(written) ?? [];
  if (holder !== undefined) return `//cloudresourcemanager.googleapis.com/${holder}`;
  if (bucket !== undefined) return `//storage.googleapis.com/projects/_/buckets/${bucket}`;
  if (email !== undefined) return `//iam.googleapis.com/projects/${projectOf(email)}/serviceAccounts/${email}`;
  return written;
}

/** `NAME@PROJECT.iam.gserviceaccount.com`; where an address does not tell, Google takes a dash. */
function projectOf(email: string): string {
  const match = /@([a-z0-9-]+)(?:\.([a-z0-9.-]+))?\.iam\.gserviceaccount\.com$/.exec(email);
  const [, project = "-", domain] = match ?? [];
  return domain === undefined ? project : `${domain}:${project}`;
}

function explainResource(value: string): string | undefined {
  if (isFull.test(value) || SHORT.test(value)) return undefined;
  return `${quoteValue(value)} is nothing that agentctl can give a role on; write ${FORMS}`;
}

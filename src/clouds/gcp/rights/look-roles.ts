import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import { type RightsSights, remark, seen, wrong } from "../../rights-sight.js";
import { type Asking, askRights, type Bearer } from "./ask-rights.js";
import type { PolicyResource } from "./resources.js";

/** "The default is 300, and the maximum is 2,000": roles.queryGrantableRoles. */
const PAGE_SIZE = 1_000;
const MOST_PAGES = 10;
const PREDEFINED = /^roles\//;

/**
 * Whether Google lists the roles among those that can be given on the resource, which it tells whoever may read its
 * policy. Custom roles need not be in that list; and a run does not ask for it, so that what keeps it from being read is
 * no failure.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export async function lookAtRoles(
  resource: PolicyResource,
  roles: readonly string[],
  bearer: Bearer,
  asking: Asking,
): Promise<RightsSights> {
  const { name } = resource;
  const what = `the roles that can be given on ${name}`;
  try {
    const listed = await findListed(resource, roles, bearer, asking);
    const [known, missing] = [roles.filter((role) => listed.has(role)), roles.filter((role) => !listed.has(role))];
    const untold = missing.filter((role) => !PREDEFINED.test(role));
    return [
      ...(known.length === 0 ? [] : [seen(`${known.join(", ")} can be given on ${name}`)]),
      ...missing.filter((role) => PREDEFINED.test(role)).map((role) => wrong(what, unlisted(role, name))),
      ...(untold.length === 0 ? [] : [remark(`whether ${untold.join(", ")} can be given on ${name} is not told`)]),
    ];
  } catch (thrown) {
    const { code, message } = toAgentctlError(thrown);
    if (code === "INTERRUPTED") throw thrown;
    return [remark(`whether ${roles.join(", ")} can be given on ${name} is not tried: ${message}`)];
  }
}

function unlisted(role: string, name: string): AgentctlError {
  return new AgentctlError(
    "CONFIG_INVALID",
    `Google does not list ${role} among the roles that can be given on ${name}`,
    {
      hint: "check gcp.bindings: the role may be misspelt, or not for that kind of resource; roles of a service that is not enabled there are not listed",
      facts: { role, resource: name },
    },
  );
}

/** Those of the roles that are in Google's list, which is read as far as need be. */
async function findListed(
  resource: PolicyResource,
  roles: readonly string[],
  bearer: Bearer,
  asking: Asking,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let pageToken: string | undefined = "";
  for (let page = 0; page < MOST_PAGES && pageToken !== undefined && found.size < roles.length; page += 1) {
    const { names, next }: RolePage = await askPage(resource, pageToken, bearer, asking);
    for (const role of roles) if (names.includes(role)) found.add(role);
    pageToken = next;
  }
  return found;
}

interface RolePage {
  readonly names: readonly (string | undefined)[];
  readonly next: string | undefined;
}

function askPage(
  { name, permissions }: PolicyResource,
  pageToken: string,
  bearer: Bearer,
  asking: Asking,
): Promise<RolePage> {
  const body = { fullResourceName: name, pageSize: PAGE_SIZE, ...(pageToken !== "" && { pageToken }) };
  return askRights(
    {
      service: "iam",
      request: { method: "POST", path: "v1/roles:queryGrantableRoles", body },
      action: `the roles that can be given on ${name}`,
      hintFor: () => `${bearer.who} needs ${permissions}.getIamPolicy on ${name}`,
      read: ({ json }) => {
        const listed = fieldOf(json, "roles") ?? [];
        if (!Array.isArray(listed)) throw new Error("there are no roles in it");
        const next = textOf(json, "nextPageToken");
        return { names: listed.map((role) => textOf(role, "name")), next: next === "" ? undefined : next };
      },
    },
    bearer,
    asking,
  );
}

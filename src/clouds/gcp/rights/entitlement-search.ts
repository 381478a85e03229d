import { AgentctlError } from "../../../core/errors.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import { type Asking, askRights, type Bearer } from "./ask-rights.js";

const PAGE_SIZE = 100;
const MOST_PAGES = 20;

/** An entitlement, as far as whoever may request it is told. */
export interface Entitlement {
  /** Such as `AVAILABLE`. */
  readonly state: string;
  /** The longest that a grant lasts; undefined where that is not told. */
  readonly mostSeconds: number | undefined;
  /** How often a grant has to be approved before it is active. */
  readonly approvals: number;
}

interface EntitlementPage {
  readonly found: Entitlement | undefined;
  /** Empty after the last. */
  readonly next: string;
}

/**
 * The entitlement, where it is one that the bearer may ask for grants of: that takes no permission, and shows no other.
 * @throws {AgentctlError} as `askRights` does
 */
export async function findRequestable(
  entitlement: string,
  bearer: Bearer,
  asking: Asking,
): Promise<Entitlement | undefined> {
  const parent = entitlement.slice(0, entitlement.lastIndexOf("/entitlements/"));
  let pageToken = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = new URLSearchParams({
      callerAccessType: "GRANT_REQUESTER",
      pageSize: String(PAGE_SIZE),
      ...(pageToken !== "" && { pageToken }),
    });
    const { found, next }: EntitlementPage = await askRights(
      {
        service: "pam",
        request: { method: "GET", path: `v1/${parent}/entitlements:search?${query}` },
        action: `the entitlements that it may ask for in ${parent}`,
        hintFor: () =>
          `check gcp.entitlement: ${parent} must exist, and Privileged Access Manager must be set up there`,
        read: ({ json }) => readPage(json, entitlement),
      },
      bearer,
      asking,
    );
    if (found !== undefined || next === "") return found;
    pageToken = next;
  }
  const message = `${bearer.who} may ask for more than ${MOST_PAGES * PAGE_SIZE} entitlements in ${parent}, or a list of them without end`;
  throw new AgentctlError("BAD_ANSWER", message, { hint: "check the endpoint in use", facts: { entitlement } });
}

function readPage(json: unknown, wanted: string): EntitlementPage {
  const entitlements = fieldOf(json, "entitlements") ?? [];
  if (!Array.isArray(entitlements)) throw new Error("there are no entitlements in it");
  const found: unknown = entitlements.find((one) => isSame(textOf(one, "name") ?? "", wanted));
  const next = textOf(json, "nextPageToken") ?? "";
  return { found: found === undefined ? undefined : readEntitlement(found), next };
}

/** A project may be named by its id or its number; what else is listed was inherited from what the project is in. */
function isSame(name: string, wanted: string): boolean {
  const shape = (text: string) => text.replace(/^projects\/[^/]+\//, "projects/_/");
  return shape(name) === shape(wanted);
}

function readEntitlement(json: unknown): Entitlement {
  const seconds = Number.parseFloat(textOf(json, "maxRequestDuration") ?? "");
  const workflow = fieldOf(json, "approvalWorkflow");
  const steps = fieldOf(fieldOf(workflow, "manualApprovals"), "steps");
  const isAwaited = workflow !== undefined && workflow !== null;
  return {
    state: textOf(json, "state") ?? "",
    mostSeconds: Number.isNaN(seconds) ? undefined : seconds,
    approvals: isAwaited ? Math.max(1, Array.isArray(steps) ? steps.length : 1) : 0,
  };
}

import * as z from "zod/mini";
import { check } from "../../check.js";
import { queryValue, type ServiceRequest } from "../../service.js";
import { invalidArgument, readJsonBody } from "../json-body.js";
import { type GooglePrincipal, nameOf, shownName } from "../principal.js";
import type { GcpEntitlement } from "../world.js";
import type { GrantRequest } from "./grant.js";

const SHORTEST_SECONDS = 1800;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ZERO = /^[0-]+$/;

const bodySchema = z.strictObject({
  requestedDuration: z
    .string()
    .check(z.regex(/^\d+(?:\.\d{1,9})?s$/, "Invalid value (type.googleapis.com/google.protobuf.Duration)")),
  justification: z.optional(z.strictObject({ unstructuredJustification: z.optional(z.string()) })),
  additionalEmailRecipients: z.optional(z.array(z.string())),
  name: z.optional(z.string()),
});

/** The id by which a request may be sent again; refused where it is none. */
export function readRequestId(request: ServiceRequest): string | undefined {
  const id = queryValue(request, "requestId");
  if (id === undefined || (UUID.test(id) && !ZERO.test(id))) return id?.toLowerCase();
  throw invalidArgument(`Invalid request_id: ${id}. It must be a valid UUID other than zero.`);
}

/** What is asked of an entitlement, where the entitlement allows it. */
export function readGrantRequest(
  request: ServiceRequest,
  principal: GooglePrincipal,
  requestId: string | undefined,
  entitlement: GcpEntitlement,
): GrantRequest {
  const checked = check(bodySchema, readJsonBody(request));
  if ("wrong" in checked) throw invalidArgument(`${checked.wrong.message} at 'grant.${checked.wrong.path}'.`);
  const { requestedDuration, justification } = checked.data;
  const seconds = Number(requestedDuration.slice(0, -1));
  const { maxRequestSeconds } = entitlement;
  if (seconds < SHORTEST_SECONDS || seconds > maxRequestSeconds) {
    throw invalidArgument(
      `The requested duration ${requestedDuration} must be between ${SHORTEST_SECONDS}s and the entitlement's maximum of ${maxRequestSeconds}s.`,
    );
  }
  const why = justification?.unstructuredJustification ?? "";
  if (entitlement.justification === "required" && why.trim() === "") {
    throw invalidArgument("The entitlement requires a justification.");
  }
  return {
    member: nameOf(principal),
    requester: shownName(principal),
    seconds,
    ...(why !== "" && { justification: why }),
    ...(requestId !== undefined && { requestId }),
  };
}

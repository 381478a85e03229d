import { randomUUID } from "node:crypto";
import { GoogleApiError } from "../google-error.js";
import { invalidArgument, readJsonBody } from "../json-body.js";
import { nameOf, shownName } from "../principal.js";
import { assertPermission, failedPrecondition, findEntitlement, mustBeThere, type PamCall } from "./call.js";
import { canBeEnded, type PamGrant } from "./grant.js";
import { describeOperation } from "./render.js";

/** By whoever has the permission, whoever asked for the grant. */
export function revokeGrant(call: PamCall): unknown {
  const { grants, caller, target, request } = call;
  assertPermission(call, "grants.revoke");
  const grant = mustBeThere(grants.find(target.grant), target.grant);
  if (!canBeEnded(grant)) throw cannotBe("revoked", grant);
  const { reason } = readJsonBody(request);
  const why = typeof reason === "string" && reason !== "" ? reason : undefined;
  return beginOperation(grants.revoke(grant.name, shownName(caller.principal), why), call);
}

/** By whoever asked for the grant, without any permission; by nobody else, whatever they may. */
export function withdrawGrant(call: PamCall): unknown {
  const { grants, caller, target, request } = call;
  const grant = grants.find(target.grant);
  if (grant?.request.member !== nameOf(caller.principal)) {
    throw new GoogleApiError(403, "PERMISSION_DENIED", "The caller does not have permission");
  }
  const [field] = Object.keys(readJsonBody(request));
  if (field !== undefined) {
    throw invalidArgument(`Invalid JSON payload received. Unknown name "${field}": Cannot find field.`);
  }
  if (!canBeEnded(grant)) throw cannotBe("withdrawn", grant);
  return beginOperation(grants.withdraw(grant.name), call);
}

function cannotBe(ended: string, { name, state }: PamGrant): GoogleApiError {
  return failedPrecondition(`The grant ${name} cannot be ${ended}: it is ${state}.`);
}

function beginOperation(grant: PamGrant, call: PamCall): unknown {
  const name = `${call.target.location}/operations/operation-${randomUUID()}`;
  call.operations.set(name, grant.name);
  return describeOperation(name, grant, findEntitlement(call));
}

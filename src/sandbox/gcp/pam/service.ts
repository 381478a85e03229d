import { jsonAnswer } from "../../json-answer.js";
import { queryValue, type Service, type TakeNotes } from "../../service.js";
import { readApiCaller } from "../api-caller.js";
import type { GcpContext } from "../context.js";
import { GOOGLE_FAILURES, GoogleApiError, googleApiRefusal } from "../google-error.js";
import { invalidArgument } from "../json-body.js";
import { permissionDenied } from "../permission-denied.js";
import { nameOf, shownName } from "../principal.js";
import { CLOUD_PLATFORM } from "../token-store.js";
import type { GcpEntitlement } from "../world.js";
import {
  assertPermission,
  failedPrecondition,
  findEntitlement,
  isEligible,
  mustBeThere,
  notFound,
  type PamCall,
} from "./call.js";
import { readGrantRequest, readRequestId } from "./create-request.js";
import { revokeGrant, withdrawGrant } from "./end-grant.js";
import type { PamGrant } from "./grant.js";
import { findOpenGrant, type PamGrants } from "./grants.js";
import { describeEntitlement, describeGrant, describeOperation } from "./render.js";
import { type PamTarget, readPamTarget } from "./target.js";

const ACCESS_TYPES: readonly string[] = ["GRANT_REQUESTER", "GRANT_APPROVER"];
const OF_ONE_GRANT: readonly string[] = ["GetGrant", "RevokeGrant", "WithdrawGrant"];

/** A little of Privileged Access Manager: entitlements that are there from the start; grants of them. */
export function createPamService(context: GcpContext, grants: PamGrants): Service {
  const operations = new Map<string, string>();
  return {
    name: "pam",
    failures: GOOGLE_FAILURES,
    nameOperation: (request) => readPamTarget(request, context.world)?.operation ?? "unknown",
    answer: async (request, operation, note) => {
      const target = readPamTarget(request, context.world);
      const method = METHODS[operation];
      if (target === undefined || method === undefined) throw new GoogleApiError(404, "NOT_FOUND", "Method not found.");
      const caller = readApiCaller(request, "pam", [CLOUD_PLATFORM], context, note);
      noteTarget(target, note);
      return jsonAnswer(method({ context, grants, caller, target, request, operations }));
    },
    refuse: googleApiRefusal,
  };
}

const METHODS: Readonly<Record<string, (call: PamCall) => unknown>> = {
  ListEntitlements: (call) => {
    assertPermission(call, "entitlements.list");
    return listEntitlements(call, () => true);
  },
  // Of whoever asks: it takes no permission, and shows nothing else.
  SearchEntitlements: (call) => {
    const access = queryValue(call.request, "callerAccessType") ?? "";
    if (!ACCESS_TYPES.includes(access)) throw invalidArgument(`Invalid caller_access_type: '${access}'.`);
    return listEntitlements(call, (entitlement) => access === "GRANT_REQUESTER" && isEligible(call, entitlement));
  },
  GetEntitlement: (call) => {
    const entitlement = findEntitlement(call);
    if (!isEligible(call, entitlement)) assertPermission(call, "entitlements.get");
    return describeEntitlement(call.target.entitlement, entitlement);
  },
  CreateGrant: createGrant,
  ListGrants: (call) => {
    assertPermission(call, "grants.list");
    return listGrants(call, () => true);
  },
  SearchGrants: (call) => {
    if (queryValue(call.request, "callerRelationship") !== "HAD_CREATED") return {};
    const own = nameOf(call.caller.principal);
    return listGrants(call, ({ request }) => request.member === own);
  },
  GetGrant: (call) => {
    const grant = call.grants.find(call.target.grant);
    if (grant?.request.member !== nameOf(call.caller.principal)) assertPermission(call, "grants.get");
    return describeGrant(mustBeThere(grant, call.target.grant), findEntitlement(call));
  },
  RevokeGrant: revokeGrant,
  WithdrawGrant: withdrawGrant,
  GetOperation: (call) => {
    const { longRunning } = call.target;
    const grant = call.grants.find(call.operations.get(longRunning) ?? "");
    const entitlement = call.context.world.entitlements[grant?.entitlement ?? ""];
    if (grant === undefined || entitlement === undefined) throw notFound(longRunning);
    return describeOperation(longRunning, grant, entitlement);
  },
};

function createGrant(call: PamCall): unknown {
  const { grants, caller, target, request } = call;
  const entitlement = findEntitlement(call);
  if (!isEligible(call, entitlement)) {
    throw permissionDenied("privilegedaccessmanager.grants.create", target.entitlement);
  }
  const id = readRequestId(request);
  const member = nameOf(caller.principal);
  const before = grants.all().find((grant) => id !== undefined && isSent(grant, id, member));
  if (before !== undefined) return describeGrant(before, entitlement);
  const asked = readGrantRequest(request, caller.principal, id, entitlement);
  const open = findOpenGrant(grants, target.entitlement, member);
  if (open !== undefined) {
    throw failedPrecondition(`There is already an open grant of ${shownName(caller.principal)}: ${open.name}.`);
  }
  return describeGrant(grants.request(target.entitlement, asked), entitlement);
}

function isSent({ request }: PamGrant, requestId: string, member: string): boolean {
  return request.requestId === requestId && request.member === member;
}

function listEntitlements({ context, target }: PamCall, isShown: (entitlement: GcpEntitlement) => boolean): unknown {
  const here = Object.entries(context.world.entitlements).filter(
    ([name, entitlement]) => name.startsWith(`${target.location}/`) && isShown(entitlement),
  );
  if (here.length === 0) return {};
  return { entitlements: here.map(([name, entitlement]) => describeEntitlement(name, entitlement)) };
}

function listGrants({ grants, target, context }: PamCall, isShown: (grant: PamGrant) => boolean): unknown {
  const shown = grants.all().filter((grant) => grant.entitlement === target.entitlement && isShown(grant));
  const entitlement = context.world.entitlements[target.entitlement];
  return entitlement === undefined || shown.length === 0
    ? {}
    : { grants: shown.map((grant) => describeGrant(grant, entitlement)) };
}

function noteTarget({ operation, entitlement, grant }: PamTarget, note: TakeNotes): void {
  note({ parameters: { resource: OF_ONE_GRANT.includes(operation) ? grant : entitlement } });
}

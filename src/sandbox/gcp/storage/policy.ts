import { jsonAnswer } from "../../json-answer.js";
import { queryValue, type ServiceAnswer, type ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { isWithinBoundary } from "../boundary.js";
import type { GcpContext } from "../context.js";
import { type AskedPolicy, readAskedPolicy, UnfitBody } from "../policy/asked-policy.js";
import { isEverybody } from "../policy/check-members.js";
import { holderOf, type PolicyHolder } from "../policy/holder.js";
import { getPolicy, type PolicyCall, type ShownPolicy, setPolicy, testPermissions } from "../policy/methods.js";
import type { GoogleAccess } from "../token-store.js";
import { storageDenied } from "./authorize.js";
import { conditionNotMet, noSuchBucket } from "./errors.js";

const PUBLIC =
  "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.";

/** As the system tests of python-storage have it. */
const NOT_UNIFORM = "To set an IAM policy with conditions, enable uniform bucket-level access on the bucket.";

export function isPolicyOperation(operation: string): boolean {
  return /Iam(?:Policy|Permissions)$/.test(operation);
}

/** The policy of a bucket that is there. */
export function answerBucketPolicy(
  caller: GoogleAccess,
  bucket: string,
  operation: string,
  request: ServiceRequest,
  context: GcpContext,
): ServiceAnswer {
  const holder = holderOf("bucket", bucket);
  const isLeft = (permission: string): boolean =>
    caller.boundary === undefined || isWithinBoundary(caller.boundary, bucket, permission, holder.resource, {});
  const denied = (permission: string): WireError => storageDenied(caller, { permission, bucket });
  const words = { denied, invalid, conflict: conditionNotMet, missing: noSuchBucket };
  const call: PolicyCall = { context, service: "gcs", holder, caller, words };
  if (operation === "storage.buckets.testIamPermissions") {
    const permissions = testPermissions(call, [request.query["permissions"] ?? []].flat()).filter(isLeft);
    return jsonAnswer({
      kind: "storage#testIamPermissionsResponse",
      ...(permissions.length > 0 && { permissions }),
    });
  }
  if (!isLeft(operation)) throw denied(operation);
  if (operation === "storage.buckets.getIamPolicy") {
    return show(getPolicy(call, Number(queryValue(request, "optionsRequestedPolicyVersion") ?? 0)), holder);
  }
  const asked = readAsked(request);
  // As its description says, access by everybody is prevented.
  if (asked.bindings.some(({ members }) => members.some(isEverybody))) throw conditionNotMet(PUBLIC);
  const isConditional = asked.bindings.some(({ condition }) => condition !== undefined);
  if (isConditional && context.world.buckets[bucket]?.hasUniformAccess === false) throw conditionNotMet(NOT_UNIFORM);
  return show(setPolicy(call, asked), holder);
}

function show(policy: ShownPolicy, { name }: PolicyHolder): ServiceAnswer {
  return jsonAnswer({ kind: "storage#policy", resourceId: name, ...policy });
}

function readAsked(request: ServiceRequest): AskedPolicy {
  try {
    return readAskedPolicy(JSON.parse(request.body.toString("utf8")));
  } catch (error) {
    throw invalid(error instanceof UnfitBody ? error.message : "Parse Error");
  }
}

function invalid(text: string): WireError {
  return new WireError(400, "invalid", text);
}

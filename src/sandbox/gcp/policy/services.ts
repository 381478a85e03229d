import { jsonAnswer } from "../../json-answer.js";
import { queryValue, type Service, type ServiceRequest, type TakeNotes } from "../../service.js";
import { MANAGING_SCOPES, readApiCaller } from "../api-caller.js";
import type { GcpContext } from "../context.js";
import { decodePath } from "../decode-path.js";
import { GOOGLE_FAILURES, GoogleApiError, googleApiRefusal } from "../google-error.js";
import { invalidArgument, readJsonBody } from "../json-body.js";
import { permissionDenied } from "../permission-denied.js";
import { CLOUD_PLATFORM } from "../token-store.js";
import { readGetting, readNothing, readSetting, readTesting, UnfitBody } from "./asked-policy.js";
import { holderInHierarchy, holderOf, type PolicyHolder } from "./holder.js";
import {
  getPolicy,
  type PolicyCall,
  type PolicyWords,
  type ShownPolicy,
  setPolicy,
  testPermissions,
} from "./methods.js";

const IN_HIERARCHY = /^\/v\d\/(projects|folders|organizations)\/([^/:]+):(get|set|test)Iam(?:Policy|Permissions)$/;
const OF_ACCOUNT = /^\/v1\/projects\/([^/]+)\/serviceAccounts\/([^/:]+):(get|set|test)Iam(?:Policy|Permissions)$/;
const OPERATIONS = { get: "GetIamPolicy", set: "SetIamPolicy", test: "TestIamPermissions" } as const;
const READING_SCOPE = `${CLOUD_PLATFORM}.read-only`;
const MAX_PERMISSIONS = 100;

type Verb = keyof typeof OPERATIONS;
interface Target {
  readonly verb: Verb;
  readonly holder: PolicyHolder;
}

/** The policies of projects, folders and organizations, which Resource Manager serves alike in its versions. */
export function createResourceManagerService(context: GcpContext): Service {
  return createPolicyService("cloudresourcemanager", context, ({ path }) => {
    const [, collection = "", id = "", verb] = IN_HIERARCHY.exec(decodePath(path)) ?? [];
    const holder = holderInHierarchy(collection, id, context.world);
    return holder === undefined ? undefined : { verb: verb as Verb, holder };
  });
}

/** The policies of service accounts, which IAM serves. */
export function createServiceAccountsService(context: GcpContext): Service {
  return createPolicyService("gcp-iam", context, ({ path }) => {
    const [, project, email, verb] = OF_ACCOUNT.exec(decodePath(path)) ?? [];
    const { projectId, projectNumber } = context.world;
    if (email === undefined || !["-", projectId, projectNumber].includes(project ?? "")) return undefined;
    return { verb: verb as Verb, holder: holderOf("serviceAccount", email) };
  });
}

/** Whether a path is for one of the two. */
export function findPolicyService(path: string): "cloudresourcemanager" | "gcp-iam" | undefined {
  if (IN_HIERARCHY.test(path)) return "cloudresourcemanager";
  return OF_ACCOUNT.test(path) ? "gcp-iam" : undefined;
}

function createPolicyService(
  name: "cloudresourcemanager" | "gcp-iam",
  context: GcpContext,
  findTarget: (request: ServiceRequest) => Target | undefined,
): Service {
  return {
    name,
    failures: GOOGLE_FAILURES,
    nameOperation: (request) => {
      const target = findTarget(request);
      return request.method === "POST" && target !== undefined ? OPERATIONS[target.verb] : "unknown";
    },
    answer: async (request, operation, note) => {
      const target = findTarget(request);
      if (operation === "unknown" || target === undefined)
        throw new GoogleApiError(404, "NOT_FOUND", "Method not found.");
      const { holder, verb } = target;
      note({ parameters: { resource: holder.name } });
      const scopes = verb === "set" ? MANAGING_SCOPES : [...MANAGING_SCOPES, READING_SCOPE];
      const caller = readApiCaller(request, name, scopes, context, note);
      const call: PolicyCall = { context, service: name, holder, caller, words: wordsFor(name, holder) };
      return jsonAnswer(answerTo(verb, call, request, note));
    },
    refuse: googleApiRefusal,
  };
}

function answerTo(verb: Verb, call: PolicyCall, request: ServiceRequest, note: TakeNotes): unknown {
  const body = readJsonBody(request);
  try {
    if (verb === "get") return show(getPolicy(call, requestedVersion(call, request, body)));
    if (verb === "set") return show(setPolicy(call, readSetting(body).policy));
    const { permissions } = readTesting(body);
    if (permissions.length > MAX_PERMISSIONS) throw invalidArgument(`More than ${MAX_PERMISSIONS} permissions.`);
    note({ parameters: { resource: call.holder.name, permissions } });
    const granted = testPermissions(call, permissions);
    return granted.length === 0 ? {} : { permissions: granted };
  } catch (error) {
    throw error instanceof UnfitBody ? invalidArgument(error.message) : error;
  }
}

/** IAM takes it in the query, and no body at all; Resource Manager in the body. */
function requestedVersion({ service }: PolicyCall, request: ServiceRequest, body: unknown): number {
  if (service === "cloudresourcemanager") return readGetting(body).options.requestedPolicyVersion;
  readNothing(body);
  return Number(queryValue(request, "options.requestedPolicyVersion") ?? 0);
}

/** An empty policy has no bindings at all; one that was never written has nothing but its etag. */
function show({ version, etag, bindings }: ShownPolicy): unknown {
  if (bindings.length > 0) return { version, etag, bindings };
  return etag === "ACAB" ? { etag } : { version, etag };
}

function wordsFor(service: "cloudresourcemanager" | "gcp-iam", holder: PolicyHolder): PolicyWords {
  const fullName = service === "gcp-iam" ? undefined : `//cloudresourcemanager.googleapis.com/${holder.name}`;
  return {
    denied: (permission) => permissionDenied(permission, fullName),
    invalid: invalidArgument,
    conflict: () =>
      new GoogleApiError(
        409,
        "ABORTED",
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
      ),
    missing: () => new GoogleApiError(404, "NOT_FOUND", "Unknown service account"),
  };
}

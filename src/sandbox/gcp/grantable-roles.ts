import * as z from "zod/mini";
import { check } from "../check.js";
import { jsonAnswer } from "../json-answer.js";
import type { Service, ServiceRequest } from "../service.js";
import { MANAGING_SCOPES, readApiCaller } from "./api-caller.js";
import type { GcpContext } from "./context.js";
import { decodePath } from "./decode-path.js";
import { GOOGLE_FAILURES, GoogleApiError, googleApiRefusal } from "./google-error.js";
import { isAllowed } from "./iam.js";
import { invalidArgument, readJsonBody } from "./json-body.js";
import { permissionDenied } from "./permission-denied.js";
import { holderInHierarchy, holderOf, type PolicyHolder } from "./policy/holder.js";
import { predefinedRolesOn } from "./roles.js";
import type { GcpWorld } from "./world.js";

const PATH = "/v1/roles:queryGrantableRoles";
const DEFAULT_PAGE = 300;
const MAX_PAGE = 2_000;
const IN_HIERARCHY = /^\/\/cloudresourcemanager\.googleapis\.com\/(projects|folders|organizations)\/([^/]+)$/;
const BUCKET = /^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/([^/]+)$/;
const ACCOUNT = /^\/\/iam\.googleapis\.com\/projects\/[^/]+\/serviceAccounts\/([^/]+)$/;

const bodySchema = z.strictObject({
  fullResourceName: z.string(),
  view: z.optional(z.enum(["BASIC", "FULL"])),
  pageSize: z._default(z.int(), 0),
  pageToken: z._default(z.string(), ""),
});

export function isForRoles(path: string): boolean {
  return decodePath(path) === PATH;
}

/** Which predefined roles can be given on a resource: IAM tells it whoever may read the resource's policy. */
export function createRolesService(context: GcpContext): Service {
  return {
    name: "gcp-iam",
    failures: GOOGLE_FAILURES,
    nameOperation: ({ method }) => (method === "POST" ? "QueryGrantableRoles" : "unknown"),
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new GoogleApiError(404, "NOT_FOUND", "Method not found.");
      const { fullResourceName, pageSize, pageToken } = readBody(request);
      note({ parameters: { resource: fullResourceName } });
      const { principal } = readApiCaller(request, "gcp-iam", MANAGING_SCOPES, context, note);
      const holder = readHolder(fullResourceName, context.world);
      const permission = `${holder.permissions}.getIamPolicy`;
      const asked = {
        principal,
        permission,
        holder: holder.name,
        resource: holder.resource,
        service: "gcp-iam",
      } as const;
      if (!isAllowed(context, asked)) throw permissionDenied(permission, fullResourceName);
      if (context.policies.read(holder.name) === undefined) {
        throw new GoogleApiError(404, "NOT_FOUND", `Resource ${fullResourceName} does not exist.`);
      }
      return jsonAnswer(pageOf(predefinedRolesOn(holder.kind), pageSize, pageToken));
    },
    refuse: googleApiRefusal,
  };
}

function readBody(request: ServiceRequest): z.output<typeof bodySchema> {
  const checked = check(bodySchema, readJsonBody(request));
  if ("wrong" in checked) throw invalidArgument(`${checked.wrong.message} at '${checked.wrong.path}'.`);
  return checked.data;
}

function readHolder(fullName: string, world: GcpWorld): PolicyHolder {
  const [, collection = "", id = ""] = IN_HIERARCHY.exec(fullName) ?? [];
  const [bucket, account] = [BUCKET.exec(fullName)?.[1], ACCOUNT.exec(fullName)?.[1]];
  const holder =
    bucket !== undefined
      ? holderOf("bucket", bucket)
      : account !== undefined
        ? holderOf("serviceAccount", account)
        : holderInHierarchy(collection, id, world);
  if (holder === undefined) throw invalidArgument(`Invalid full resource name: ${fullName}.`);
  return holder;
}

/** A page's token is how many roles were before it. */
function pageOf(roles: readonly string[], pageSize: number, pageToken: string): unknown {
  const begin = Number(pageToken);
  const end = begin + (pageSize > 0 ? Math.min(pageSize, MAX_PAGE) : DEFAULT_PAGE);
  const shown = roles.slice(begin, end).map((name) => ({ name, title: name.replace(/^roles\//, "") }));
  return { roles: shown, ...(end < roles.length && { nextPageToken: String(end) }) };
}

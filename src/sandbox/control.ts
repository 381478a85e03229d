import type { ServerResponse } from "node:http";
import * as z from "zod/mini";
import { isSameSecret } from "../core/constant-time.js";
import type { Assignments } from "./azure/authorization/assignments.js";
import { createAzureControl } from "./azure/control.js";
import type { SandboxClock } from "./clock.js";
import { readControlBody, UnfitBody } from "./control-body.js";
import { FAULT_KINDS, type Fault, type FaultBoard } from "./faults.js";
import type { GcpAdmin } from "./gcp/admin.js";
import { createGcpControl } from "./gcp/control.js";
import { AUTHORIZING_SERVICES, documentsOf, type RolePolicies } from "./iam/role-policies.js";
import type { RequestHandler } from "./listener.js";
import type { RequestLog } from "./request-log.js";
import { SERVICE_NAMES, type ServiceRequest } from "./service.js";
import type { WorldDefinition } from "./world.js";

export interface ControlContext {
  /** Unguessable; the first part of every path. */
  readonly secret: string;
  readonly origin: string;
  readonly faults: FaultBoard;
  readonly clock: SandboxClock;
  readonly log: RequestLog;
  readonly roles: WorldDefinition["roles"];
  readonly policies: RolePolicies;
  readonly assignments: Assignments;
  readonly gcp: GcpAdmin;
}

const count = z.optional(z.int().check(z.minimum(0)));
const faultSchema = z.strictObject({
  service: z.enum(SERVICE_NAMES),
  operation: z.optional(z.string()),
  kind: z.enum(FAULT_KINDS),
  times: count,
  after: count,
  latencyMs: count,
  retryAfterSeconds: count,
  status: z.optional(z.int().check(z.minimum(400), z.maximum(599))),
  code: z.optional(z.string()),
});
const faultsSchema = z.array(faultSchema);
const clockSchema = z.strictObject({ offsetMs: z.int(), service: z.optional(z.enum(SERVICE_NAMES)) });
const iamSchema = z.strictObject({
  propagationMs: z.int().check(z.minimum(0)),
  service: z.optional(z.enum(AUTHORIZING_SERVICES)),
});

/**
 * The remote control, for tests that start the sandbox by its command:
 * `POST faults` (a Fault or a list), `DELETE faults`, `POST clock` ({offsetMs, service?}), `GET requests`,
 * `POST iam` ({propagationMs, service?}), `GET iam` (the propagation and every role's inline policies), and those of
 * `createAzureControl` and `createGcpControl`.
 */
export function createControl(context: ControlContext): RequestHandler {
  const routes: Readonly<Record<string, (body: unknown) => unknown>> = {
    "POST faults": (body) => {
      for (const fault of readControlBody(faultsSchema, [body].flat())) context.faults.add(fault as Fault);
    },
    "DELETE faults": () => context.faults.clear(),
    "POST clock": (body) => {
      const { offsetMs, service } = readControlBody(clockSchema, body);
      context.clock.setOffset(offsetMs, service);
    },
    "GET requests": () => context.log.entries(),
    "POST iam": (body) => {
      const { propagationMs, service } = readControlBody(iamSchema, body);
      context.policies.setPropagation(propagationMs, service);
    },
    "GET iam": () => ({
      propagationMs: context.policies.propagation(),
      rolePolicies: Object.fromEntries(
        Object.keys(context.roles).map((roleArn) => [roleArn, documentsOf(context.policies, roleArn)]),
      ),
    }),
    ...createAzureControl(context.assignments),
    ...createGcpControl(context.gcp),
  };
  return async (request, response) => {
    const [, secret = "", resource = ""] = request.path.split("/");
    const route = routes[`${request.method} ${resource}`];
    // A page in a browser must not reach it: no Origin, no name that was rebound to 127.0.0.1.
    const isForeign = "origin" in request.headers || `http://${request.headers["host"]}` !== context.origin;
    if (isForeign || !isSameSecret(secret, context.secret) || route === undefined) return reply(response, 404);
    reply(response, ...answer(route, request));
  };
}

function answer(route: (body: unknown) => unknown, request: ServiceRequest): readonly [number, unknown?] {
  try {
    const result = route(request.body.length === 0 ? undefined : JSON.parse(request.body.toString("utf8")));
    return result === undefined ? [204] : [200, result];
  } catch (error) {
    return [400, { message: error instanceof UnfitBody ? error.message : "the body is not JSON" }];
  }
}

function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`);
}

import type { ServerResponse } from "node:http";
import * as z from "zod";
import type { SandboxClock } from "./clock.js";
import { isSameSecret } from "./constant-time.js";
import { FAULT_KINDS, type Fault, type FaultBoard } from "./faults.js";
import type { RequestHandler } from "./listener.js";
import type { RequestLog } from "./request-log.js";
import { SERVICE_NAMES, type ServiceRequest } from "./service.js";

export interface ControlContext {
  /** Unguessable; the first part of every path. */
  readonly secret: string;
  readonly origin: string;
  readonly faults: FaultBoard;
  readonly clock: SandboxClock;
  readonly log: RequestLog;
}

const count = z.number().int().min(0).optional();
const faultSchema = z.strictObject({
  service: z.enum(SERVICE_NAMES),
  operation: z.string().optional(),
  kind: z.enum(FAULT_KINDS),
  times: count,
  after: count,
  latencyMs: count,
  retryAfterSeconds: count,
  status: z.number().int().min(400).max(599).optional(),
  code: z.string().optional(),
});
const faultsSchema = z.preprocess((body) => [body].flat(), z.array(faultSchema));
const clockSchema = z.strictObject({ offsetMs: z.number().int(), service: z.enum(SERVICE_NAMES).optional() });

/**
 * The remote control, for tests that start the sandbox by its command:
 * `POST faults` (a Fault or a list), `DELETE faults`, `POST clock` ({offsetMs, service?}), `GET requests`.
 */
export function createControl(context: ControlContext): RequestHandler {
  const routes: Readonly<Record<string, (body: unknown) => unknown>> = {
    "POST faults": (body) => {
      for (const fault of faultsSchema.parse(body)) context.faults.add(fault as Fault);
    },
    "DELETE faults": () => context.faults.clear(),
    "POST clock": (body) => {
      const { offsetMs, service } = clockSchema.parse(body);
      context.clock.setOffset(offsetMs, service);
    },
    "GET requests": () => context.log.entries(),
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
    return [400, { message: error instanceof z.ZodError ? z.prettifyError(error) : "the body is not JSON" }];
  }
}

function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`);
}

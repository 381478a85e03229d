import type { ServerResponse } from "node:http";
import type { Runtime } from "../core/runtime.js";
import type { SandboxClock } from "./clock.js";
import { markCredential } from "./credential-mark.js";
import { type FaultBoard, faultError } from "./faults.js";
import type { RequestHandler } from "./listener.js";
import type { RequestLog } from "./request-log.js";
import type { RequestNotes, Service, ServiceAnswer, ServiceRequest, TakeNotes } from "./service.js";
import { WireError } from "./wire-error.js";

export interface ServeContext {
  readonly clock: SandboxClock;
  readonly faults: FaultBoard;
  readonly log: RequestLog;
  readonly runtime: Pick<Runtime, "now" | "sleep">;
}

const GARBAGE = "<html><body>502 proxy says hello";

/** Puts a service behind the fault board and the request log. */
export function serve(service: Service, context: ServeContext): RequestHandler {
  return async (request, response) => {
    const operation = service.nameOperation(request);
    const faults = context.faults.take(service.name, operation);
    for (const fault of faults) if (fault.kind === "latency") await context.runtime.sleep(fault.latencyMs ?? 1000);
    let notes: RequestNotes = {};
    const credential = markCredential(request);
    const record = (status: number, code?: string): void =>
      context.log.add({
        time: new Date(context.runtime.now()).toISOString(),
        service: service.name,
        operation,
        status,
        ...(code === undefined ? {} : { code }),
        ...(credential !== undefined && { credential }),
        ...notes,
      });
    response.setHeader("date", new Date(context.clock.now(service.name)).toUTCString());
    if (faults.some((fault) => fault.kind === "cut")) {
      record(0);
      return cutShort(response);
    }
    if (faults.some((fault) => fault.kind === "garbage")) {
      record(200);
      return send(response, { status: 200, headers: { "content-type": "text/html" }, body: GARBAGE });
    }
    const struck = faults.map((fault) => faultError(fault, service.failures)).find((error) => error !== undefined);
    const note: TakeNotes = (more) => {
      notes = { ...notes, ...more };
    };
    const { answer, code } = await answerOrRefuse(service, request, operation, note, struck);
    record(answer.status, code);
    send(response, request.method === "HEAD" ? { ...answer, body: "" } : answer);
  };
}

/** Like `serve`, for services that share a port. */
export function serveByRoute(route: (request: ServiceRequest) => Service, context: ServeContext): RequestHandler {
  return (request, response) => serve(route(request), context)(request, response);
}

async function answerOrRefuse(
  service: Service,
  request: ServiceRequest,
  operation: string,
  note: TakeNotes,
  struck: WireError | undefined,
): Promise<{ answer: ServiceAnswer; code?: string }> {
  try {
    if (struck !== undefined) throw struck;
    return { answer: await service.answer(request, operation, note) };
  } catch (thrown) {
    const error = thrown instanceof WireError ? thrown : new WireError(500, "InternalFailure", "the sandbox failed");
    const answer = service.refuse(error, request);
    return { answer: { ...answer, headers: { ...answer.headers, ...error.headers } }, code: error.code };
  }
}

function send(response: ServerResponse, answer: ServiceAnswer): void {
  const body = answer.body ?? "";
  const headers: Record<string, string | number> = { ...answer.headers };
  headers["content-length"] ??= Buffer.byteLength(body);
  response.writeHead(answer.status, headers);
  response.end(body);
}

/** The beginning of an answer, and then nothing more. */
function cutShort(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/xml", "content-length": 4096 });
  response.write("<AssumeRole", () => response.destroy());
}

import type { IncomingMessage } from "node:http";
import type { EndpointQuestion, EndpointRefusal } from "../../core/endpoint.js";
import { AgentctlError } from "../../core/errors.js";
import type { Grant } from "../../core/lease.js";
import type { CloudName } from "../../core/profile.js";
import type { Admission, Gatekeeper } from "./admit-peer.js";
import type { EndpointLimits } from "./limits.js";
import type { Reply } from "./open-server.js";
import { readBody } from "./read-body.js";
import type { PeerProcess, RefusalLog } from "./refusal-log.js";
import type { FindRoute, Responder } from "./routes.js";
import { type Objection, screenRequest } from "./screen-request.js";

export interface AnswerContext {
  readonly gate: Gatekeeper;
  readonly log: RefusalLog;
  readonly limits: Pick<EndpointLimits, "maxBodyBytes">;
  readonly current: (cloud: CloudName) => Promise<Grant>;
}

const TOO_LONG = { status: 413, reason: "bad-request", message: "a request with a body beyond 64 KiB" } as const;
const UNAUTHORIZED: EndpointRefusal = {
  reason: "unauthorized",
  message: "the request does not carry the lease's own proof: use the variables that agentctl set",
};

/**
 * Head, path, body, peer, proof, grant: in this order, and what comes later is not looked at before. What fails
 * before a cloud's part of the endpoint is reached is answered without a word. Rejects when the caller is gone.
 */
export async function answerRequest(
  incoming: IncomingMessage,
  host: string,
  findRoute: FindRoute,
  context: AnswerContext,
): Promise<Reply> {
  const screened = screenRequest(incoming, host);
  if ("status" in screened) return sendAway(screened, context.log);
  const route = findRoute(screened.path);
  if (route === undefined) {
    const message = "a request without the endpoint's secret path";
    return sendAway({ status: 404, reason: "unknown-path", message }, context.log);
  }
  const { responder, path } = route;
  const body = await readBody(incoming, context.limits.maxBodyBytes);
  if (body === undefined) return sendAway(TOO_LONG, context.log, responder.cloud);
  const question: EndpointQuestion = { ...screened, path, body };
  try {
    return await answerQuestion(question, responder, await context.gate.admit(incoming.socket), context);
  } catch {
    // Not told what, since an error that nobody foresaw may quote the question, and with it the secret.
    const message = "a defect in agentctl kept the endpoint from answering";
    return sendAway({ status: 500, reason: "unavailable", message }, context.log, responder.cloud);
  }
}

async function answerQuestion(
  question: EndpointQuestion,
  responder: Responder,
  admission: Admission,
  context: AnswerContext,
): Promise<Reply> {
  const refuse = (refusal: EndpointRefusal, peer?: PeerProcess): Reply => {
    context.log.add({ cloud: responder.cloud, ...refusal, ...(peer === undefined ? {} : { peer }) });
    return { ...responder.refuse(question, refusal), cut: true };
  };
  if (admission.refusal !== undefined) return refuse(admission.refusal, admission.peer);
  if (!responder.authorize(question)) return refuse(UNAUTHORIZED);
  if (admission.isUndetermined) {
    const message = "it cannot be told whether the process that asked is of the command";
    context.log.add({ cloud: responder.cloud, reason: "undetermined", message });
  }
  const grant = await takeGrant(responder.cloud, context);
  if ("reason" in grant) return refuse(grant);
  const answer = responder.answer(question, grant);
  return "reason" in answer ? refuse(answer) : answer;
}

/** A grant that has ended for good is told apart from one that a later question may find again. */
async function takeGrant(cloud: CloudName, context: AnswerContext): Promise<Grant | EndpointRefusal> {
  try {
    return await context.current(cloud);
  } catch (thrown) {
    if (!(thrown instanceof AgentctlError)) throw thrown;
    const { code, message } = thrown;
    const isOver = code === "LEASE_ENDED" || code === "TOKEN_EXPIRED";
    return { reason: isOver ? "lease-ended" : "unavailable", message };
  }
}

function sendAway({ status, reason, message }: Objection, log: RefusalLog, cloud?: CloudName): Reply {
  log.add({ reason, message, ...(cloud === undefined ? {} : { cloud }) });
  return { status, body: "", cut: true };
}

import type { Socket } from "node:net";
import type { EndpointRefusal } from "../../core/endpoint.js";
import { AgentctlError } from "../../core/errors.js";
import type { PeerCheck } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { type JudgePeer, judgePeersOf, type PeerVerdict } from "./judge-peer.js";
import type { PeerProcess } from "./refusal-log.js";

/** Who may ask: a refusal, or that it is to be answered, and whether that was for want of knowing better. */
export type Admission =
  | { readonly refusal: EndpointRefusal; readonly peer?: PeerProcess }
  | { readonly refusal?: never; readonly isUndetermined: boolean };

export interface Gatekeeper {
  /** From here on the child and its descendants are let in; nobody is before. */
  watchChild(pid: number): void;
  admit(socket: Socket): Promise<Admission>;
}

const ADMITTED: Admission = { isUndetermined: false };
const TOO_EARLY: Admission = { refusal: { reason: "unavailable", message: "the command has not been started yet" } };
const STRANGER = "only the command that agentctl runs may ask, and what it starts: this process is not of it";
const UNPROVEN = "it cannot be told whether this process is of the command that agentctl runs";

/**
 * Applies the profile's `peer_check`.
 * @throws {AgentctlError} PLATFORM when it is `require` and this system does not tell whose a connection is
 */
export function openGate(
  peerCheck: PeerCheck,
  runtime: Pick<Runtime, "fs" | "platform" | "pid" | "uid" | "sleep">,
): Gatekeeper {
  if (peerCheck === "require" && runtime.platform !== "linux") {
    throw new AgentctlError("PLATFORM", `peer_check: require needs Linux; ${runtime.platform} does not tell who asks`, {
      hint: "use peer_check: auto, or deliver: env",
    });
  }
  let judge: JudgePeer | undefined;
  return {
    watchChild: (pid) => {
      judge = peerCheck === "off" ? () => Promise.resolve({ is: "child" }) : judgePeersOf(pid, runtime);
    },
    admit: async (socket) => (judge === undefined ? TOO_EARLY : admissionOf(await judge(socket), peerCheck)),
  };
}

function admissionOf(verdict: PeerVerdict, peerCheck: PeerCheck): Admission {
  if (verdict.is === "child") return ADMITTED;
  if (verdict.is === "undetermined") {
    if (peerCheck === "auto") return { isUndetermined: true };
    return { refusal: { reason: "stranger", message: UNPROVEN } };
  }
  const refusal: EndpointRefusal = { reason: "stranger", message: STRANGER };
  return verdict.peer === undefined ? { refusal } : { refusal, peer: verdict.peer };
}

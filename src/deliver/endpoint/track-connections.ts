import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The connections that a server has open. */
export interface Connections {
  /** False when the connection has a request under way, or was told that it is over. */
  begin(socket: Socket): boolean;
  /** Its request is answered; `isProven` when with what was asked for. */
  finish(socket: Socket, isProven: boolean): void;
  cutAll(): void;
}

/**
 * The open connections, oldest first. Where there are too many, a flood of silent ones must not keep the child
 * away: so it is not the newcomer that goes, but the oldest that never got an answer, or else the oldest idle one.
 */
export function trackConnections(server: Server, maxConnections: number): Connections {
  const open = new Set<Socket>();
  const busy = new WeakSet<Socket>();
  const proven = new WeakSet<Socket>();
  const makeRoom = (newcomer: Socket): Socket => {
    const idle = [...open].filter((socket) => !busy.has(socket));
    return idle.find((socket) => !proven.has(socket)) ?? idle[0] ?? newcomer;
  };
  server.on("connection", (socket: Socket) => {
    if (open.size >= maxConnections) {
      const leaving = makeRoom(socket);
      open.delete(leaving);
      leaving.destroy();
      if (leaving === socket) return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return {
    begin: (socket) => {
      if (busy.has(socket)) return false;
      busy.add(socket);
      return true;
    },
    finish: (socket, isProven) => {
      busy.delete(socket);
      if (isProven) proven.add(socket);
    },
    cutAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

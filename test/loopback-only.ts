import net from "node:net";

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;
const connect = net.Socket.prototype.connect;

/** A test that reaches for another machine fails at once instead of being seen by nobody. */
net.Socket.prototype.connect = function refuseOffLoopback(this: net.Socket, ...args: unknown[]): net.Socket {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = typeof first === "object" && first !== null ? (first as { host?: string; path?: string }).host : args[1];
  const isPath = typeof first === "object" && first !== null && typeof (first as { path?: string }).path === "string";
  if (!isPath && typeof host === "string" && !LOOPBACK.test(host)) {
    throw new Error(`a test tried to reach ${host}: tests stay on loopback`);
  }
  return Reflect.apply(connect, this, args) as net.Socket;
};

import type { Socket } from "node:net";
import { escapeControlCharacters } from "../../core/control-characters.js";
import type { Runtime } from "../../core/runtime.js";
import { type Family, watchFamily } from "./family.js";
import { type ConnectionEnds, findSockets, type SystemSocket } from "./peer-sockets.js";
import type { PeerProcess } from "./refusal-log.js";
import { shareLooks } from "./share-looks.js";
import { findHolders } from "./socket-holders.js";

/** Whose process is at a connection's other end. */
export type PeerVerdict =
  | { readonly is: "child" }
  /** Proven not to be of the child. `peer` is absent when it is one of this user's that hides. */
  | { readonly is: "stranger"; readonly peer?: PeerProcess }
  | { readonly is: "undetermined" };

/** Judges a connection once, for all its requests. */
export type JudgePeer = (socket: Socket) => Promise<PeerVerdict>;

type JudgeRuntime = Pick<Runtime, "fs" | "platform" | "pid" | "uid" | "sleep">;

/** A process that is just being started or reparented looks like a stranger for less than this. */
const SECOND_LOOK_MS = 20;
const UNDETERMINED: PeerVerdict = { is: "undetermined" };

/** A judge of who descends from `childPid`. Where there is no /proc of Linux's, everybody is undetermined. */
export function judgePeersOf(childPid: number, runtime: JudgeRuntime): JudgePeer {
  if (runtime.platform !== "linux") return () => Promise.resolve(UNDETERMINED);
  const family = watchFamily(childPid, runtime);
  const look = shareLooks((connections: readonly ConnectionEnds[]) => lookOrNone(connections, family, runtime));
  const verdicts = new WeakMap<Socket, Promise<PeerVerdict>>();
  const judge = async (ends: ConnectionEnds): Promise<PeerVerdict> => {
    const verdict = await look(ends);
    if (verdict.is === "child") return verdict;
    await runtime.sleep(SECOND_LOOK_MS);
    return look(ends);
  };
  return (socket) => {
    const known = verdicts.get(socket);
    if (known !== undefined) return known;
    const ends = endsOf(socket);
    const verdict = ends === undefined ? Promise.resolve(UNDETERMINED) : judge(ends);
    verdicts.set(socket, verdict);
    return verdict;
  };
}

/** A connection that is closed by now has no ends. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): ConnectionEnds | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return { near: { address: remoteAddress, port: remotePort }, far: { address: localAddress, port: localPort } };
}

/** What cannot be looked at, as without /proc, says nothing. */
function lookOrNone(connections: readonly ConnectionEnds[], family: Family, runtime: JudgeRuntime): PeerVerdict[] {
  try {
    return lookForPeers(connections, family, runtime);
  } catch {
    return connections.map(() => UNDETERMINED);
  }
}

/** First among those known to be the child's, then among its newest, then among everybody. */
function lookForPeers(connections: readonly ConnectionEnds[], family: Family, runtime: JudgeRuntime): PeerVerdict[] {
  const { fs } = runtime;
  const sockets = findSockets(connections, fs);
  const links = new Set(sockets.flatMap((socket) => (socket === undefined ? [] : [socket.link])));
  const accepted = new Set<string>();
  const accept = (pidByLink: ReadonlyMap<string, number>): void => {
    for (const [link, pid] of pidByLink) if (family.isMember(pid) && links.delete(link)) accepted.add(link);
  };
  accept(findHolders(family.seen, links, fs).pidByLink);
  const rest = links.size === 0 ? undefined : searchEverybody(links, family, accept, fs);
  return sockets.map((socket, index): PeerVerdict => {
    if (socket === undefined) return UNDETERMINED;
    if (accepted.has(socket.link)) return { is: "child" };
    const pid = rest?.strangers.get(socket.link);
    if (pid !== undefined) return { is: "stranger", peer: describePeer(pid, fs) };
    const isHiding = rest?.isFamilySeen === true && isHiddenBySelf(socket, connections[index], runtime);
    return isHiding ? { is: "stranger" } : UNDETERMINED;
  });
}

function searchEverybody(
  links: ReadonlySet<string>,
  family: Family,
  accept: (pidByLink: ReadonlyMap<string, number>) => void,
  fs: Runtime["fs"],
): { readonly strangers: ReadonlyMap<string, number>; readonly isFamilySeen: boolean } {
  const { members, others } = family.survey();
  const inFamily = findHolders(members, links, fs);
  accept(inFamily.pidByLink);
  return { strangers: findHolders(others, links, fs).pidByLink, isFamilySeen: !inFamily.someHidden };
}

/**
 * A socket of our own user that none of the child's processes has open, each of which was looked at, is somebody
 * else's, even when nobody is seen to have it: a process can hide what it has open, from its like at least. Only
 * where /proc is found to tell the truth about a socket that is known: our own end.
 */
function isHiddenBySelf(socket: SystemSocket, ends: ConnectionEnds | undefined, runtime: JudgeRuntime): boolean {
  if (ends === undefined || socket.uid !== runtime.uid) return false;
  const [own] = findSockets([{ near: ends.far, far: ends.near }], runtime.fs);
  return own !== undefined && findHolders([runtime.pid], new Set([own.link]), runtime.fs).pidByLink.size === 1;
}

function describePeer(pid: number, fs: Runtime["fs"]): PeerProcess {
  try {
    return { pid, program: escapeControlCharacters(fs.readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd()) };
  } catch {
    return { pid };
  }
}

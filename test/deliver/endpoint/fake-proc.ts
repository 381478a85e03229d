import type { Runtime } from "../../../src/core/runtime.js";

export interface FakeProcess {
  readonly parent?: number;
  readonly session?: number;
  readonly startedAt?: number;
  /** The inodes that it has open; "hidden" when that may not be seen. */
  readonly sockets?: readonly number[] | "hidden";
}

export interface FakeSystem {
  readonly processes: Readonly<Record<number, FakeProcess>>;
  readonly tcp?: readonly string[];
  readonly tcp6?: readonly string[];
}

/** /proc of proc(5), as far as it is read. */
export function procOf(system: () => FakeSystem): Runtime["fs"] {
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const find = (pid: string): FakeProcess => system().processes[Number(pid)] ?? fail("ENOENT");
  const readFileSync = (file: string): string => {
    const [, , pid = "", what] = file.split("/");
    const { parent = 1, session = 1, startedAt = 9 } = find(pid);
    if (what === "comm") return "a\u001b[2Jtool\n";
    return `${pid} (a) b) S ${parent} ${pid} ${session} ${"0 ".repeat(15)}${startedAt} 0`;
  };
  const tables = new Map<number, string>();
  const openSync = (file: string): number => {
    const rows = file === "/proc/net/tcp" ? system().tcp : (system().tcp6 ?? fail("ENOENT"));
    tables.set(tables.size, ["  sl  local_address rem_address", ...(rows ?? []), ""].join("\n"));
    return tables.size - 1;
  };
  // In pieces that end in the middle of a row, as the kernel may give them.
  const readSync = (fd: number, buffer: Buffer): number => {
    const text = tables.get(fd) ?? "";
    tables.set(fd, text.slice(70));
    return buffer.write(text.slice(0, 70), "latin1");
  };
  const readdirSync = (dir: string): string[] => {
    if (dir === "/proc") return [...Object.keys(system().processes), "self", "net"];
    const { sockets = [] } = find(dir.split("/")[2] ?? "");
    return sockets === "hidden" ? fail("EACCES") : ["0", ...sockets.map((_, index) => String(index + 3))];
  };
  const readlinkSync = (file: string): string => {
    const [, , pid = "", , fd] = file.split("/");
    const { sockets = [] } = find(pid);
    if (sockets === "hidden") return fail("EACCES");
    return fd === "0" ? "/dev/null" : `socket:[${sockets[Number(fd) - 3]}]`;
  };
  const closeSync = (): void => {};
  return { openSync, readSync, closeSync, readFileSync, readdirSync, readlinkSync } as unknown as Runtime["fs"];
}

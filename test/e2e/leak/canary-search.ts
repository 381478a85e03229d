import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** So many characters in a row are a find: enough that no two texts share them by chance. */
const PIECE = 12;

/** Looks for secrets, whole or a piece of them, as they are and in the encodings in which a secret hides. */
export class CanarySearch {
  readonly #names = new Map<string, string>();
  readonly #wider: CanarySearch | undefined;

  /** What this search looks for, `wider` looks for as well. */
  constructor(wider?: CanarySearch) {
    this.#wider = wider;
  }

  /** A new secret that is looked for from now on. */
  plant(name: string): string {
    const value = randomBytes(20).toString("hex");
    this.add(name, value);
    return value;
  }

  add(name: string, value: string): void {
    this.#wider?.add(name, value);
    if (value.length < PIECE) throw new Error(`${name} is too short to be looked for`);
    for (const [encoding, text] of encodingsOf(value)) {
      for (const piece of piecesOf(text)) this.#names.set(piece, encoding === "" ? name : `${name} (${encoding})`);
    }
  }

  /** A JWT's header says nothing secret, and two tokens of one issuer share it. */
  addToken(name: string, jwt: string): void {
    this.add(name, jwt.split(".").slice(1).join("."));
  }

  /** What was found and where, once each. */
  find(where: string, text: string): string[] {
    const found = new Set<string>();
    for (let start = 0; start + PIECE <= text.length; start += 1) {
      const name = this.#names.get(text.slice(start, start + PIECE));
      if (name !== undefined) found.add(`${name} in ${where}`);
    }
    return [...found];
  }

  /** Searches every file below a directory, and the names of them, but for the files where canaries were put. */
  findInTree(dir: string, planted: ReadonlySet<string> = new Set()): string[] {
    return listFiles(dir)
      .filter((file) => !planted.has(file))
      .flatMap((file) => {
        const where = path.relative(dir, file);
        return [...this.find(`the name of ${where}`, where), ...this.find(where, readText(file))];
      });
  }

  /** Searches the arguments of every process that can be seen. */
  findInCommandLines(): string[] {
    return readCommandLines().flatMap((line) => this.find(`the command line of ${line.slice(0, 40)}`, line));
  }
}

/** Pieces that lie end to end, and the last one: a leak of two pieces' length holds one of them whole. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start + PIECE <= text.length; start += PIECE) pieces.push(text.slice(start, start + PIECE));
  return [...pieces, text.slice(-PIECE)];
}

/** The value as it is comes last, so that a find is not put down to an encoding that changes nothing. */
function encodingsOf(value: string): readonly (readonly [string, string])[] {
  // Base 64 of a text depends on where in a group of three it begins.
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${" ".repeat(shift)}${value}`).toString("base64");
    return ["base64", encoded.slice(4, -4)] as const;
  });
  const base64url = base64.map(([, text]) => ["base64url", text.replaceAll("+", "-").replaceAll("/", "_")] as const);
  const hex = ["hex", Buffer.from(value).toString("hex")] as const;
  return [hex, ...base64url, ...base64, ["percent", encodeURIComponent(value)], ["", value]];
}

function listFiles(dir: string): string[] {
  const entries = fs.existsSync(dir) ? fs.readdirSync(dir, { withFileTypes: true, recursive: true }) : [];
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** As Latin 1, in which every byte is a character. A file may go while the tree is read. */
function readText(file: string): string {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return fs.readlinkSync(file, "latin1");
  if (!stat?.isFile()) return "";
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function readCommandLines(): string[] {
  if (process.platform !== "linux")
    return execFileSync("ps", ["-axww", "-o", "args="], { encoding: "latin1" }).split("\n");
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
    } catch {
      return "";
    }
  });
}

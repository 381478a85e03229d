import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

/** A child that writes the environment it finds to the file that its last argument names. */
export interface Dumper {
  readonly name: string;
  /** Answers argv without the file, or why it cannot be had. */
  prepare(dir: string): Promise<readonly string[] | { readonly missing: string }>;
}

/** Beyond this, building a program of ten lines is not worth the wait. */
const GO_BUILD_LIMIT_MS = 60_000;

const NODE_SCRIPT = `require("fs").writeFileSync(process.argv[1], Object.entries(process.env).map((e) => e.join("=")).join("\\n"))`;
const PYTHON_SCRIPT = `import os,sys; open(sys.argv[1],"wb").write(b"\\n".join(k+b"="+v for k,v in os.environb.items()))`;
const GO_PROGRAM = `package main

import (
	"os"
	"strings"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(strings.Join(os.Environ(), "\\n")), 0o600); err != nil {
		panic(err)
	}
}
`;

export const DUMPERS: readonly Dumper[] = [
  { name: "Node", prepare: async () => [process.execPath, "-e", NODE_SCRIPT] },
  { name: "a shell", prepare: async () => ["sh", "-c", 'env > "$1"', "sh"] },
  {
    name: "Python",
    prepare: async () => (isOnPath("python3") ? ["python3", "-c", PYTHON_SCRIPT] : { missing: "no python3 on PATH" }),
  },
  { name: "Go", prepare: buildGoProgram },
];

async function buildGoProgram(dir: string): Promise<readonly string[] | { readonly missing: string }> {
  if (!isOnPath("go")) return { missing: "no go on PATH" };
  const source = path.join(dir, "dump.go");
  const program = path.join(dir, "dump-by-go");
  fs.writeFileSync(source, GO_PROGRAM);
  const env = { ...process.env, GO111MODULE: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
  try {
    await promisify(execFile)("go", ["build", "-o", program, source], { env, timeout: GO_BUILD_LIMIT_MS });
    return [program];
  } catch (error) {
    return { missing: `go build failed or took too long: ${String(error).split("\n")[0]}` };
  }
}

function isOnPath(name: string): boolean {
  const dirs = (process.env["PATH"] ?? "").split(":");
  return dirs.some((dir) => fs.existsSync(path.join(dir, name)));
}

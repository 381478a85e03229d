import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { build } from "esbuild";

/** Bundles a TypeScript file for a process of its own, since Node 20 runs no TypeScript. Answers the bundle's path. */
export async function bundleWorker(entry: string, outDir: string): Promise<string> {
  const outfile = path.join(outDir, `${path.basename(entry, ".ts")}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  return outfile;
}

/** Resolves with the exit code, or the signal's name, and what was printed. Kills the process when `killAt` appears on stdout. */
export function runWorker(
  bundle: string,
  args: readonly string[],
  killAt?: string,
): Promise<{ readonly ended: number | string; readonly stdout: string; readonly stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, [bundle, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk;
    if (killAt !== undefined && stdout.includes(killAt)) child.kill("SIGKILL");
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ended: signal ?? code ?? -1, stdout, stderr }));
  });
}

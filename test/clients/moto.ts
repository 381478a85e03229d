import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { CLIENT_PATH } from "./tools.js";

export interface Moto {
  readonly url: string;
  /** Asks it to end, waits until it has, and removes what it left. */
  close(): Promise<void>;
}

/** Moto's server, with S3 and STS among its services, on a free port of loopback. */
export async function startMoto(): Promise<Moto> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-moto-"));
  const env = { PATH: CLIENT_PATH, HOME: home, TMPDIR: home, PYTHONDONTWRITEBYTECODE: "1" };
  const server = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], {
    cwd: home,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(server, "close");
  return {
    url: await readUrl(server),
    close: async () => {
      server.kill("SIGTERM");
      await closed;
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}

async function readUrl(server: ChildProcess): Promise<string> {
  const lines: string[] = [];
  if (server.stderr === null) throw new Error("moto has no stderr");
  for await (const line of createInterface(server.stderr)) {
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) {
      // Goes on to be read, or moto would come to a stop at a full pipe.
      server.stderr.resume();
      return url;
    }
    lines.push(line);
  }
  throw new Error(`moto did not start: ${lines.join("\n")}`);
}

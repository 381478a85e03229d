import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { makeCertificates } from "../../src/sandbox/certificates.js";
import { NPM_CLIENTS } from "./npm-clients.js";

export interface Azurite {
  /** Of the one account, which has no containers yet. */
  readonly url: string;
  /** The authority that its certificate is of, PEM. */
  readonly caPem: string;
  /** Asks it to end, waits until it has, and removes what it left. */
  close(): Promise<void>;
}

const MAIN = path.join(NPM_CLIENTS, "azurite/dist/src/blob/main.js");
const ACCOUNT = "emulated";

/** Microsoft's emulator of Blob Storage, which checks Entra's tokens, over TLS on a free port of loopback. */
export async function startAzurite(): Promise<Azurite> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-azurite-"));
  const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
  const [cert, key] = [path.join(home, "server.pem"), path.join(home, "server-key.pem")];
  fs.writeFileSync(cert, serverPem);
  fs.writeFileSync(key, serverKeyPem, { mode: 0o600 });
  const where = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent"];
  const how = ["--oauth", "basic", "--cert", cert, "--key", key, "--disableTelemetry", "--skipApiVersionCheck"];
  const accounts = `${ACCOUNT}:${Buffer.from("a key that nobody uses").toString("base64")}`;
  const server = spawn(process.execPath, [MAIN, ...where, ...how], {
    cwd: home,
    env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: home, AZURITE_ACCOUNTS: accounts },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(server, "close");
  const close = async (): Promise<void> => {
    server.kill("SIGTERM");
    await closed;
    fs.rmSync(home, { recursive: true, force: true });
  };
  try {
    return { url: `${await readUrl(server)}/${ACCOUNT}`, caPem, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readUrl(server: ChildProcess): Promise<string> {
  const lines: string[] = [];
  if (server.stdout === null || server.stderr === null) throw new Error("azurite has no output");
  server.stderr.on("data", (text: Buffer) => lines.push(text.toString()));
  for await (const line of createInterface(server.stdout)) {
    const url = /successfully listens on (https:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) {
      // Goes on to be read, or it would come to a stop at a full pipe.
      server.stdout.resume();
      return url;
    }
    lines.push(line);
  }
  throw new Error(`azurite did not start: ${lines.join("\n")}`);
}

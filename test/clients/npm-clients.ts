import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "vitest";

/** Where `npm run test:clients` installs the clients in JavaScript; programs find them there by NODE_PATH. */
export const NPM_CLIENTS = path.resolve(import.meta.dirname, "../../.cache/clients/npm/node_modules");

/** Skips a test, and says why, when a client in JavaScript is not installed. */
export function skipWithoutPackage(skip: TestContext["skip"], name: string): void {
  if (fs.existsSync(path.join(NPM_CLIENTS, name, "package.json"))) return;
  const reason = `${name} is not installed: use npm run test:clients`;
  console.info(`skipped: ${reason}`);
  skip(reason);
}

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Runtime } from "../../src/core/runtime.js";
import type { InitRequest } from "../../src/init/index.js";
import { fakeRuntime } from "../fake-runtime.js";

export const ROLE = "arn:aws:iam::111122223333:role/agentctl-deploy";
export const PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github";
export const ALL_VALUES = {
  role_arn: ROLE,
  region: "eu-central-1",
  tenant_id: "aaaabbbb-0000-cccc-1111-dddd2222eeee",
  client_id: "00001111-aaaa-2222-bbbb-3333cccc4444",
  subscription_id: "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
  workload_identity_provider: PROVIDER,
  service_account: "deploy@my-project.iam.gserviceaccount.com",
  project_id: "my-project",
};

export interface Scratch {
  readonly dir: string;
  /** Writes a file below the directory, and what is missing above it. */
  put(name: string, text: string): void;
  /** Every file below the directory but `.git`, by its relative path. */
  list(): string[];
  read(name: string): string;
  remove(): void;
}

export function makeScratch(): Scratch {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-init-")));
  return {
    dir,
    put: (name, text) => {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), text);
    },
    list: () =>
      fs
        .readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
        .filter((name) => !name.startsWith(".git/"))
        .sort(),
    read: (name) => fs.readFileSync(path.join(dir, name), "utf8"),
    remove: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}

export function runtimeIn(dir: string, overrides: Partial<Runtime> = {}) {
  return fakeRuntime({ cwd: dir, version: "1.2.3", ...overrides });
}

export function requestOf(overrides: Partial<InitRequest> = {}): InitRequest {
  return { values: {}, yes: false, force: false, ...overrides };
}

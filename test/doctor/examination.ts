import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Runtime } from "../../src/core/runtime.js";
import type { Check } from "../../src/doctor/check.js";
import { type DoctorRequest, examine } from "../../src/doctor/examination.js";
import type { Finding } from "../../src/doctor/finding.js";
import { fakeRuntime } from "../fake-runtime.js";

export const PROFILES = `version: 1
profiles:
  deploy:
    ttl: 15m
    deliver: env
    aws: { role_arn: "arn:aws:iam::111122223333:role/deploy", region: eu-central-1 }
    azure: { tenant_id: aaaabbbb-0000-cccc-1111-dddd2222eeee, client_id: 00001111-aaaa-2222-bbbb-3333cccc4444 }
`;

/** A directory with a configuration and no state yet. */
export function makeProject(config: string | undefined = PROFILES): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-doctor-")));
  if (config !== "") fs.writeFileSync(path.join(dir, "agentctl.yaml"), config);
  return dir;
}

export function runtimeIn(dir: string, overrides: Partial<Runtime> = {}) {
  const env = { AGENTCTL_STATE_DIR: path.join(dir, "state"), ...overrides.env };
  return fakeRuntime({ cwd: dir, ...overrides, env });
}

/** What one check finds. */
export async function findingsOf(
  check: Check,
  runtime: Runtime,
  request: DoctorRequest = {},
): Promise<readonly Finding[]> {
  return check.run(examine(request, runtime));
}

// Where the bench runs agentctl: a home of its own, and profiles for the sandbox's demo role, application and account.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export const ROLE = "arn:aws:iam::111122223333:role/agentctl-demo";
export const PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/demo-pool/providers/github";
export const SERVICE_ACCOUNT = "demo@agentctl-demo.iam.gserviceaccount.com";

const agentctl = path.resolve(import.meta.dirname, "../bin/agentctl.js");

/** `credential_ttl: 5s` is the shortest there is: what is left of it is a third when it is renewed. */
const PROFILES = `version: 1
defaults: { ttl: 15m }
profiles:
  aws:
    aws: { role_arn: "${ROLE}", region: us-east-1 }
  google:
    gcp: { workload_identity_provider: ${PROVIDER}, service_account: ${SERVICE_ACCOUNT} }
  all:
    extends: [aws, google]
    azure: { tenant_id: aaaabbbb-0000-cccc-1111-dddd2222eeee, client_id: 00001111-aaaa-2222-bbbb-3333cccc4444 }
  aws-endpoint: { extends: aws, deliver: endpoint }
  all-endpoint: { extends: all, deliver: endpoint }
  steady: { extends: [aws, google], deliver: endpoint }
  renewed: { extends: steady, credential_ttl: 5s }
`;

export function openStage() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-bench-"));
  const file = (name) => path.join(home, name);
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: file("cache"), AGENTCTL_STATE_DIR: file("state") };
  env.AGENTCTL_CONFIG = file("agentctl.yaml");
  fs.writeFileSync(env.AGENTCTL_CONFIG, PROFILES, { mode: 0o600 });
  // With the sandbox's authority Node reads all the others at its start, which it otherwise does when it first needs them.
  const { NODE_EXTRA_CA_CERTS: _, ...plainEnv } = env;
  return {
    env,
    /** For what has nothing to do with the sandbox. */
    plainEnv,
    file,
    agentctl,
    /** The command line of a lease. */
    lease: (profile, ...command) => [process.execPath, agentctl, "run", "-p", profile, "--quiet", ...command],
    /** What the command prints, and how long all of it took; a failure ends the bench. */
    run: (argv, environment = env) => {
      const startedAt = performance.now();
      const result = spawnSync(argv[0], argv.slice(1), {
        env: environment,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      const elapsedMs = performance.now() - startedAt;
      if (result.status !== 0) throw new Error(`${argv.join(" ")} exited with ${result.status}: ${result.stderr}`);
      return { stdout: result.stdout, elapsedMs };
    },
    remove: () => fs.rmSync(home, { recursive: true, force: true }),
  };
}

export function isInstalled(command) {
  const found = spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
  if (!found) process.stderr.write(`${command} is not on PATH: left out\n`);
  return found;
}

/** A token of the sandbox's issuer, as its GitHub hands them out. */
export async function mintToken(audience) {
  const url = new URL(process.env.ACTIONS_ID_TOKEN_REQUEST_URL);
  url.searchParams.set("audience", audience);
  const headers = { authorization: `bearer ${process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` };
  return (await (await fetch(url, { headers })).json()).value;
}

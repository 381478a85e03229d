import { randomBytes } from "node:crypto";
import { makeCertificates } from "./certificates.js";
import { createClock } from "./clock.js";
import { createControl } from "./control.js";
import { makePrivateDir, sandboxEnvironment } from "./environment.js";
import { createFaultBoard } from "./faults.js";
import type { SandboxHost } from "./host.js";
import { createSessionStore } from "./iam/sessions.js";
import { listen } from "./listener.js";
import { createIssuer, githubClaims, makeIssuerKeys } from "./oidc/issuer.js";
import { createOidcService, TOKEN_REQUEST_PATH, TOKEN_REQUEST_QUERY } from "./oidc/service.js";
import { createRequestLog } from "./request-log.js";
import { createS3Service } from "./s3/service.js";
import { createS3Store } from "./s3/store.js";
import type { Sandbox, SandboxOptions } from "./sandbox.js";
import { serve } from "./serve.js";
import { createStsService } from "./sts/service.js";
import { defaultWorld, type WorldDefinition } from "./world.js";

/**
 * Starts the embedded OIDC issuer, STS and S3 on free ports of 127.0.0.1, over TLS.
 * @throws {AgentctlError} STATE_UNWRITABLE when there is no room for its private directory
 */
export async function startSandbox(options: SandboxOptions, host: SandboxHost): Promise<Sandbox> {
  const world: WorldDefinition = { ...defaultWorld(options.accountId), ...options };
  const serving = { clock: createClock(host), faults: createFaultBoard(), log: createRequestLog(), runtime: host };
  const { clock, faults, log } = serving;
  const [certificates, keys] = await Promise.all([makeCertificates(host.now()), makeIssuerKeys()]);
  const dir = makePrivateDir(certificates.caPem, host);
  const tls = { cert: certificates.serverPem, key: certificates.serverKeyPem };
  const listeners = await Promise.all([listen(tls), listen(tls), listen(tls), listen()]);
  const [oidc, sts, s3, control] = listeners;

  const issuer = await createIssuer(oidc.origin, keys, { ...githubClaims(), ...world.claims }, () => clock.now("oidc"));
  const requestToken = randomBytes(32).toString("base64url");
  oidc.handle(serve(createOidcService(issuer, requestToken), serving));

  const sessions = createSessionStore();
  sts.handle(serve(createStsService({ world, issuer, sessions, now: () => clock.now("sts") }), serving));
  const store = createS3Store(world.buckets, host.now());
  s3.handle(serve(createS3Service({ world, store, sessions, now: () => clock.now("s3") }), serving));

  const secret = randomBytes(32).toString("base64url");
  control.handle(createControl({ secret, origin: control.origin, faults, clock, log }));
  const addresses = {
    sts: sts.origin,
    s3: s3.origin,
    tokenRequestUrl: `${oidc.origin}${TOKEN_REQUEST_PATH}?${TOKEN_REQUEST_QUERY}`,
    requestToken,
    control: `${control.origin}/${secret}`,
  };
  return {
    env: sandboxEnvironment(addresses, dir.caFile, host),
    issuer: issuer.issuer,
    dir: dir.path,
    caFile: dir.caFile,
    world,
    mintToken: issuer.mintToken,
    faults,
    clock,
    requests: log.entries,
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
      dir.remove();
    },
  };
}

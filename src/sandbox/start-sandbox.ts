import { randomBytes } from "node:crypto";
import { createAssignments } from "./azure/authorization/assignments.js";
import { routeAzure } from "./azure/route.js";
import { makeCertificates } from "./certificates.js";
import { createClock } from "./clock.js";
import { createControl } from "./control.js";
import { makePrivateDir, sandboxEnvironment } from "./environment.js";
import { createFaultBoard } from "./faults.js";
import { createGcp } from "./gcp/route.js";
import type { SandboxHost } from "./host.js";
import { type AuthorizingService, createRolePolicies, documentsOf } from "./iam/role-policies.js";
import { createSessionStore } from "./iam/sessions.js";
import { createIamService, isForIam } from "./iam-api/service.js";
import { listen } from "./listener.js";
import { handOutIdentity } from "./oidc/hand-out.js";
import { createIssuer, makeIssuerKeys } from "./oidc/issuer.js";
import { PLATFORMS } from "./oidc/platforms.js";
import { createOidcService } from "./oidc/service.js";
import { type TrustedIssuer, trustedBy } from "./oidc/trusted-issuer.js";
import { createRequestLog } from "./request-log.js";
import { createS3Service } from "./s3/service.js";
import { createS3Store } from "./s3/store.js";
import type { Sandbox, SandboxOptions } from "./sandbox.js";
import { serve, serveByRoute } from "./serve.js";
import { createStsService } from "./sts/service.js";
import { defaultWorld, type WorldDefinition } from "./world.js";

/**
 * Starts the embedded OIDC issuer and clouds on free ports of 127.0.0.1, over TLS.
 * @throws {AgentctlError} STATE_UNWRITABLE when there is no room for its private directory
 */
export async function startSandbox(options: SandboxOptions, host: SandboxHost): Promise<Sandbox> {
  const world: WorldDefinition = { ...defaultWorld(options.accountId), ...options };
  const serving = { clock: createClock(host), faults: createFaultBoard(), log: createRequestLog(), runtime: host };
  const { clock, faults, log } = serving;
  const [certificates, keys] = await Promise.all([makeCertificates(host.now()), makeIssuerKeys()]);
  const dir = makePrivateDir(certificates.caPem, host);
  const tls = { cert: certificates.serverPem, key: certificates.serverKeyPem };
  const listeners = await Promise.all([listen(tls), listen(tls), listen(tls), listen(tls), listen(tls), listen()]);
  const [oidc, sts, s3, azure, gcp, control] = listeners;

  const platform = PLATFORMS[world.platform];
  const claims = { ...platform.claims(), ...world.claims };
  const minter = await createIssuer(oidc.origin, keys, claims, () => clock.now("oidc"));
  const own: TrustedIssuer = { ...minter, standsFor: platform.standsFor };
  const identity = await handOutIdentity(world, own, dir.path, host);
  oidc.handle(serve(createOidcService(own, platform, identity.requestToken), serving));
  const issuer = trustedBy(world, own);

  const { roles } = world;
  const policies = createRolePolicies(roles, world.iamPropagationMs ?? 0, () => clock.now("iam"));
  const shared = { world, sessions: createSessionStore() };
  const asService = (name: AuthorizingService) => ({
    ...shared,
    authority: policies.seenBy(name),
    now: () => clock.now(name),
  });
  const stsService = createStsService({ ...asService("sts"), issuer });
  const iamService = createIamService({ ...asService("iam"), roles, policies, createdAt: host.now() });
  sts.handle(serveByRoute((request) => (isForIam(request) ? iamService : stsService), serving));
  const store = createS3Store(world.buckets, host.now());
  s3.handle(serve(createS3Service({ ...asService("s3"), store }), serving));

  const { now } = clock;
  const assignments = createAssignments(world.azure, () => clock.now("arm"));
  const azureWorld = { world: world.azure, issuer, origin: azure.origin, now, assignments };
  azure.handle(serveByRoute(routeAzure(azureWorld), serving));
  const google = createGcp({ world: world.gcp, issuer, origin: gcp.origin, now });
  gcp.handle(serveByRoute(google.route, serving));

  const secret = randomBytes(32).toString("base64url");
  const controlled = { faults, clock, log, roles, policies, assignments, gcp: google.admin };
  control.handle(createControl({ secret, origin: control.origin, ...controlled }));
  const addresses = {
    sts: sts.origin,
    s3: s3.origin,
    azure: azure.origin,
    blobAccount: Object.keys(world.azure.storageAccounts)[0],
    gcp: gcp.origin,
    control: `${control.origin}/${secret}`,
  };
  return {
    env: { ...sandboxEnvironment(addresses, dir.caFile, host), ...identity.variables },
    issuer: own.issuer,
    dir: dir.path,
    caFile: dir.caFile,
    world,
    mintToken: own.mintToken,
    rotateTokens: identity.rotateTokens,
    faults,
    clock,
    iam: policies,
    azureRoles: assignments,
    gcp: google.admin,
    rolePolicies: (roleArn) => documentsOf(policies, roleArn),
    requests: log.entries,
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
      dir.remove();
    },
  };
}

import type { Service, ServiceRequest } from "../service.js";
import { createGcpAdmin, type GcpAdmin } from "./admin.js";
import type { GcpContext } from "./context.js";
import { decodePath } from "./decode-path.js";
import { createRolesService, isForRoles } from "./grantable-roles.js";
import { createIamCredentialsService } from "./iam-credentials.js";
import { createPamGrants } from "./pam/grants.js";
import { createPamService } from "./pam/service.js";
import { isForPam } from "./pam/target.js";
import { createLivePolicies } from "./policy/live-policies.js";
import { createResourceManagerService, createServiceAccountsService, findPolicyService } from "./policy/services.js";
import { createStorageService } from "./storage/service.js";
import { createFileStore } from "./storage/store.js";
import { createGcpStsService } from "./sts.js";
import { createGoogleTokens } from "./token-store.js";
import { createTokenInfoService } from "./tokeninfo.js";

export interface Gcp {
  /** Which of Google's services a request on their common port is for, by its path. */
  route(request: ServiceRequest): Service;
  readonly admin: GcpAdmin;
}

export function createGcp(given: Omit<GcpContext, "tokens" | "policies">): Gcp {
  const { world, now } = given;
  const policies = createLivePolicies(world, () => now("gcp-iam"));
  const context: GcpContext = { ...given, tokens: createGoogleTokens(), policies };
  const grants = createPamGrants(world, policies, () => now("pam"));
  const services = {
    sts: createGcpStsService(context),
    iamCredentials: createIamCredentialsService(context),
    tokenInfo: createTokenInfoService(context),
    storage: createStorageService(context, createFileStore(world, now("gcs"))),
    cloudresourcemanager: createResourceManagerService(context),
    "gcp-iam": createServiceAccountsService(context),
    roles: createRolesService(context),
    pam: createPamService(context, grants),
  };
  return {
    route: ({ path }) => {
      // What became of the grants meanwhile has to be in the policies before one is asked for.
      grants.advance();
      return services[findService(path)];
    },
    admin: createGcpAdmin(policies, grants),
  };
}

function findService(path: string) {
  if (path === "/v1/token") return "sts";
  if (isForPam(path)) return "pam";
  if (isForRoles(path)) return "roles";
  const ofPolicies = findPolicyService(decodePath(path));
  if (ofPolicies !== undefined) return ofPolicies;
  if (path.startsWith("/v1/projects/")) return "iamCredentials";
  return path.endsWith("/tokeninfo") || path === "/tokeninfo" ? "tokenInfo" : "storage";
}

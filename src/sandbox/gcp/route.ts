import type { Service, ServiceRequest } from "../service.js";
import type { GcpContext } from "./context.js";
import { createIamCredentialsService } from "./iam-credentials.js";
import { createStorageService } from "./storage/service.js";
import { createFileStore } from "./storage/store.js";
import { createGcpStsService } from "./sts.js";
import { createGoogleTokens } from "./token-store.js";
import { createTokenInfoService } from "./tokeninfo.js";

/** Which of Google's services a request on their common port is for, by its path. */
export function routeGcp(given: Omit<GcpContext, "tokens">): (request: ServiceRequest) => Service {
  const context: GcpContext = { ...given, tokens: createGoogleTokens() };
  const sts = createGcpStsService(context);
  const iamCredentials = createIamCredentialsService(context);
  const tokenInfo = createTokenInfoService(context);
  const storage = createStorageService(context, createFileStore(context.world, context.now("gcs")));
  return ({ path }) => {
    if (path === "/v1/token") return sts;
    if (path.startsWith("/v1/projects/")) return iamCredentials;
    return path.endsWith("/tokeninfo") || path === "/tokeninfo" ? tokenInfo : storage;
  };
}

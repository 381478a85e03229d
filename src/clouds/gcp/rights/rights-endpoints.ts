import type { Runtime } from "../../../core/runtime.js";
import { type Endpoint, resolveEndpoint } from "../endpoints.js";
import type { PolicyService } from "./resources.js";

/** A service that rights are given by. */
export type RightsService = PolicyService | "pam";

/** gcloud's variables; its address of Cloud Storage is that of the JSON API. */
const PLACES: Readonly<
  Record<RightsService, { readonly variable: string; readonly own: string; readonly title: string }>
> = {
  cloudresourcemanager: {
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
    own: "https://cloudresourcemanager.googleapis.com/",
    title: "Google's Resource Manager",
  },
  storage: {
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
    own: "https://storage.googleapis.com/storage/v1/",
    title: "Google's Cloud Storage",
  },
  iam: {
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
    own: "https://iam.googleapis.com/",
    title: "Google's IAM",
  },
  pam: {
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVILEGEDACCESSMANAGER",
    own: "https://privilegedaccessmanager.googleapis.com/",
    title: "Google's Privileged Access Manager",
  },
};

/** @throws {AgentctlError} ENDPOINT_INVALID */
export function resolveRightsEndpoint(service: RightsService, runtime: Pick<Runtime, "env">): Endpoint {
  const { variable, own } = PLACES[service];
  return resolveEndpoint(variable, own, runtime);
}

/** Such as `Google's Resource Manager`. */
export function titleOfService(service: RightsService): string {
  return PLACES[service].title;
}

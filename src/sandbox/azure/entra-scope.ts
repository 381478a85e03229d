import { entraError } from "./entra-errors.js";

const SUFFIX = "/.default";

/** Resources whose service principals are in every tenant, and the storage accounts' own names. */
const RESOURCES: readonly RegExp[] = [
  /^https:\/\/management\.(?:azure|core\.windows)\.(?:com|net)\/?$/,
  /^https:\/\/storage\.azure\.com\/?$/,
  /^https:\/\/[a-z0-9]{3,24}\.blob\.core\.windows\.net\/?$/,
  /^https:\/\/vault\.azure\.net\/?$/,
  /^https:\/\/graph\.microsoft\.com\/?$/,
  /^https:\/\/database\.windows\.net\/?$/,
];

/** The one resource that a client-credentials request asks for; the token's audience. */
export function readResource(scope: string, tenantName: string): string {
  const scopes = scope.split(" ").filter((one) => one !== "");
  const invalid = scopes.find((one) => !one.endsWith(SUFFIX));
  if (invalid !== undefined || scopes.length === 0) {
    throw entraError(
      1002012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
    );
  }
  const [resource = "", ...others] = scopes.map((one) => one.slice(0, -SUFFIX.length));
  if (others.length > 0) {
    throw entraError(
      70011,
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
    );
  }
  if (RESOURCES.some((known) => known.test(resource))) return resource;
  throw entraError(
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${tenantName}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  );
}

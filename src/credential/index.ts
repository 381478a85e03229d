export { hasAzureVariables } from "./azure-from-lease.js";
export type { Credential } from "./credential.js";
export { readGrant } from "./from-grant.js";
export { readFromLease } from "./from-lease.js";
export { assertHandOut, endIdToken, grantIdToken, isCalledByGoogle, readIdToken } from "./id-token.js";
export { narrowProfile } from "./narrow-profile.js";
export { renderCredential, renderExecutableFailure } from "./render.js";
export type { CredentialFormat, CredentialRequest } from "./request.js";
export { commandOf, resolveSelf } from "./self-command.js";

import { formatInstant } from "../core/durations.js";
import type { AgentctlError } from "../core/errors.js";
import type { AwsCredential, AzureCredential, Credential, GoogleCredential, GoogleSubject } from "./credential.js";

/** The version of both protocols that have one: AWS's credential_process and Google's executables. */
const VERSION = 1;
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";

/** A credential as its tool reads it: one line of JSON, secrets revealed, for stdout and nothing else. */
export function renderCredential(credential: Credential, now: number): string {
  return `${JSON.stringify(toAnswer(credential, now))}\n`;
}

/** A failure as Google's libraries read it, which show the code and the message to their user. */
export function renderExecutableFailure({ code, message, hint }: AgentctlError): string {
  const said = hint === undefined ? message : `${message}; ${hint}`;
  return `${JSON.stringify({ version: VERSION, success: false, code, message: said })}\n`;
}

function toAnswer(credential: Credential, now: number): object {
  switch (credential.kind) {
    case "aws-keys":
      return toProcess(credential);
    case "google-token":
      return toToken(credential, now);
    case "google-subject":
      return toExecutable(credential);
    case "azure-token":
      return toAz(credential);
  }
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
function toProcess({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: AwsCredential): object {
  return {
    Version: VERSION,
    AccessKeyId: accessKeyId.reveal(),
    SecretAccessKey: secretAccessKey.reveal(),
    SessionToken: sessionToken.reveal(),
    Expiration: formatInstant(expiresAt),
  };
}

/** OAuth's own words, and the `expiry` of Go's library besides. */
function toToken({ token, expiresAt }: GoogleCredential, now: number): object {
  return {
    access_token: token.reveal(),
    token_type: "Bearer",
    ...(expiresAt !== undefined && { expires_in: secondsLeft(expiresAt, now), expiry: formatInstant(expiresAt) }),
  };
}

/** https://google.aip.dev/auth/4117 */
function toExecutable({ token, expiresAt }: GoogleSubject): object {
  return {
    version: VERSION,
    success: true,
    token_type: ID_TOKEN,
    id_token: token.reveal(),
    expiration_time: Math.floor(expiresAt / 1000),
  };
}

/** As `az account get-access-token` prints it: `expiresOn` in local time, as its older readers take it. */
function toAz({ token, expiresAt, subscriptionId, tenantId }: AzureCredential): object {
  return {
    accessToken: token.reveal(),
    expiresOn: formatLocal(new Date(expiresAt)),
    expires_on: Math.floor(expiresAt / 1000),
    ...(subscriptionId !== undefined && { subscription: subscriptionId }),
    ...(tenantId !== undefined && { tenant: tenantId }),
    tokenType: "Bearer",
  };
}

function secondsLeft(expiresAt: number, now: number): number {
  return Math.max(0, Math.floor((expiresAt - now) / 1000));
}

function formatLocal(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  const clock = [two(time.getHours()), two(time.getMinutes()), two(time.getSeconds())].join(":");
  return `${date} ${clock}.000000`;
}

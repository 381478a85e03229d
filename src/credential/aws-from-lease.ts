import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";
import { askEndpoint, instantIn, isLoopback, parseAnswer, textIn } from "./ask-endpoint.js";
import type { AwsCredential } from "./credential.js";
import { findValue, notHeld } from "./surrounding-lease.js";

/**
 * AWS's keys out of the lease: its variables, or the container credentials that its endpoint gives.
 * @throws {AgentctlError} CONFIG_INVALID when it has neither, and as `askEndpoint` does
 */
export async function readAwsFromLease(lease: SurroundingLease, runtime: Runtime): Promise<AwsCredential> {
  return readVariables(lease, runtime) ?? (await askContainer(lease, runtime));
}

function readVariables(lease: SurroundingLease, { env }: Pick<Runtime, "env">): AwsCredential | undefined {
  const [accessKeyId, secretAccessKey, sessionToken] = [
    findValue("AWS_ACCESS_KEY_ID", env),
    findValue("AWS_SECRET_ACCESS_KEY", env),
    findValue("AWS_SESSION_TOKEN", env),
  ];
  // What has no session token is a key that somebody else put there.
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) return undefined;
  const expiresAt = Date.parse(env["AWS_CREDENTIAL_EXPIRATION"] ?? "");
  return {
    kind: "aws-keys",
    accessKeyId: new Secret(accessKeyId),
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: new Secret(sessionToken),
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : lease.endsAt,
  };
}

async function askContainer(lease: SurroundingLease, runtime: Runtime): Promise<AwsCredential> {
  const url = findValue("AWS_CONTAINER_CREDENTIALS_FULL_URI", runtime.env);
  const authorization = readToken(runtime);
  if (!isLoopback(url) || authorization === undefined) throw notHeld("aws", lease);
  const answer = parseAnswer(await askEndpoint({ url, headers: { authorization } }, lease, runtime));
  return {
    kind: "aws-keys",
    accessKeyId: new Secret(textIn(answer, "AccessKeyId")),
    secretAccessKey: new Secret(textIn(answer, "SecretAccessKey")),
    sessionToken: new Secret(textIn(answer, "Token")),
    expiresAt: instantIn(Date.parse(textIn(answer, "Expiration")), "Expiration"),
  };
}

function readToken({ env, fs }: Pick<Runtime, "env" | "fs">): string | undefined {
  const file = findValue("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", env);
  if (file === undefined) return undefined;
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

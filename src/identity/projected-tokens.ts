import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { readVariable } from "./audience-variables.js";
import { peekClaims } from "./peek-claims.js";
import { readSmallFile, type TokenFile } from "./read-token-file.js";

/** Set in every pod. */
export const POD_VARIABLE = "KUBERNETES_SERVICE_HOST";
/** Where the Kubernetes documentation mounts projected tokens. */
export const TOKEN_DIR = "/var/run/secrets/tokens";
/** The token that every pod is given unless it asks for none; its audience is the API server. */
export const OWN_TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** What EKS ("IAM roles for service accounts") and AKS (its workload identity) set in a pod. */
export const TOKEN_VARIABLES = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"] as const;
/** Google's instructions for any cluster put the token's path into the file that this names. */
const CONFIGURATION_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS";
const MAX_FILES = 32;

const READABLE_HINT =
  "see that the volume is mounted and that this user may read it (`fsGroup` in the pod's securityContext)";

type Reads = Pick<Runtime, "env" | "cwd" | "fs">;

/** The files in which a pod may find tokens of its service account, the likeliest first; none twice. */
export function findProjectedTokens(runtime: Reads): readonly TokenFile[] {
  const files = [
    ...namedByVariables(runtime),
    ...namedByConfiguration(runtime),
    ...inTokenDir(runtime),
    ...own(runtime),
  ];
  return files.filter(({ file }, index) => files.findIndex((other) => other.file === file) === index);
}

function namedByVariables({ env, cwd }: Reads): readonly TokenFile[] {
  return TOKEN_VARIABLES.flatMap((variable) => {
    const named = readVariable(env, variable);
    return named === undefined ? [] : [{ file: path.resolve(cwd, named), variable, hint: READABLE_HINT }];
  });
}

/** An external account whose token is in a file. What is no such thing, a key for one, is none of this source's. */
function namedByConfiguration(runtime: Reads): readonly TokenFile[] {
  const named = readVariable(runtime.env, CONFIGURATION_VARIABLE);
  if (named === undefined || readVariable(runtime.env, POD_VARIABLE) === undefined) return [];
  const file = readCredentialSource(path.resolve(runtime.cwd, named), runtime);
  if (file === undefined) return [];
  return [{ file: path.resolve(runtime.cwd, file), variable: CONFIGURATION_VARIABLE, hint: READABLE_HINT }];
}

function readCredentialSource(file: string, runtime: Reads): string | undefined {
  try {
    const parsed = JSON.parse(readSmallFile(file, "", runtime)) as {
      readonly type?: unknown;
      readonly credential_source?: { readonly file?: unknown };
    };
    const source = parsed.credential_source?.file;
    return parsed.type === "external_account" && typeof source === "string" && source !== "" ? source : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME` and `NAME/token` for each entry that holds a JWT; other things may be mounted there as well. */
function inTokenDir(runtime: Reads): readonly TokenFile[] {
  const names = listDir(TOKEN_DIR, runtime)
    // The kubelet keeps the files in directories of its own, which begin with two dots.
    .filter((name) => !name.startsWith(".."))
    .slice(0, MAX_FILES);
  const files = names.flatMap((name) => [path.join(TOKEN_DIR, name), path.join(TOKEN_DIR, name, "token")]);
  return files.filter((file) => holdsToken(file, runtime)).map((file) => ({ file, hint: READABLE_HINT }));
}

function own(runtime: Reads): readonly TokenFile[] {
  return holdsToken(OWN_TOKEN_FILE, runtime) ? [{ file: OWN_TOKEN_FILE, hint: READABLE_HINT }] : [];
}

function listDir(dir: string, { fs }: Reads): readonly string[] {
  try {
    return fs.readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function holdsToken(file: string, runtime: Reads): boolean {
  try {
    return peekClaims(readSmallFile(file, "", runtime).trim()) !== undefined;
  } catch {
    return false;
  }
}

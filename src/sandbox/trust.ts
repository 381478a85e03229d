import path from "node:path";
import { writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

/** By these a tool is told of an authority besides, or of all: they are set to the sandbox's whatever they were. */
const ALWAYS_SET = ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"] as const;
/**
 * These replace the system's authorities for whatever reads them, and some win over those above. Where one is set
 * the sandbox's authority joins those of the file; where none is, everything else had better go on as before.
 */
const JOINED_WHERE_SET = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTPLIB2_CA_CERTS"] as const;

/** What makes tools trust the sandbox, and still what they are told to trust already. */
export function trustVariables(
  caFile: string,
  { env, fs }: Pick<Runtime, "env" | "fs">,
): Readonly<Record<string, string>> {
  const caPem = fs.readFileSync(caFile, "utf8");
  const join = (name: string): string | undefined => {
    const named = env[name] ?? "";
    const others = named === "" ? undefined : readIfThere(named, fs);
    if (others === undefined) return undefined;
    const file = path.join(path.dirname(caFile), `${name}.pem`);
    writePrivateFile(file, `${others.trimEnd()}\n${caPem}`, fs);
    return file;
  };
  const always = ALWAYS_SET.map((name) => [name, join(name) ?? caFile] as const);
  const joined = JOINED_WHERE_SET.flatMap((name) => {
    const file = join(name);
    return file === undefined ? [] : [[name, file] as const];
  });
  return Object.fromEntries([...always, ...joined]);
}

function readIfThere(file: string, fs: Runtime["fs"]): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

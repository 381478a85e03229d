import { AgentctlError } from "../../core/errors.js";
import { explainSystemError } from "../../core/private-files.js";
import type { Runtime } from "../../core/runtime.js";

/**
 * The certificates of `AWS_CA_BUNDLE`, which replace the built-in ones as they do in AWS's own tools;
 * undefined when it is not set. (`NODE_EXTRA_CA_CERTS` is Node's own, and adds to the built-in ones.)
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function readCaBundle(runtime: Pick<Runtime, "env" | "fs">): string | undefined {
  const file = runtime.env["AWS_CA_BUNDLE"];
  if (file === undefined || file === "") return undefined;
  const text = readText(file, runtime.fs);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new AgentctlError("CONFIG_INVALID", `AWS_CA_BUNDLE names ${file}, which holds no PEM certificate`);
}

function readText(file: string, fs: Runtime["fs"]): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentctlError("CONFIG_INVALID", `AWS_CA_BUNDLE: cannot read ${file}: ${explainSystemError(error)}`, {
      hint: "name a readable file of PEM certificates, or unset AWS_CA_BUNDLE",
      cause: error,
    });
  }
}

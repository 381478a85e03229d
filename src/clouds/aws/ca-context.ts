import { createSecureContext, type SecureContext } from "node:tls";
import type { Runtime } from "../../core/runtime.js";
import { readCaBundle } from "./ca-bundle.js";

/** Reading a bundle of a hundred certificates takes longer than asking AWS does, and each renewal asks. */
let latest: { readonly text: string; readonly context: SecureContext } | undefined;

/**
 * What a TLS connection to AWS trusts, where `AWS_CA_BUNDLE` says so; made once for as long as its text is the same.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function caContext(runtime: Pick<Runtime, "env" | "fs">): SecureContext | undefined {
  const text = readCaBundle(runtime);
  if (text === undefined) return undefined;
  if (latest?.text !== text) latest = { text, context: createSecureContext({ ca: text }) };
  return latest.context;
}

import path from "node:path";
import type { JSONWebKeySet } from "jose";
import { parse } from "yaml";
import * as z from "zod/mini";
import { AgentctlError, firstLine } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { PolicyDocument } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { azureWorldSchema, resolveAzureWorld } from "./azure/world-block.js";
import { check } from "./check.js";
import { gcpWorldSchema, resolveGcpWorld } from "./gcp/world-block.js";
import { mapValues } from "./map-values.js";
import { PLATFORM_NAMES } from "./oidc/platforms.js";
import type { RoleDefinition, WorldDefinition } from "./world.js";

/** A policy is written out, or named by the path of its JSON file, relative to the world file. */
const policy = z.union([z.record(z.string(), z.unknown()), z.string()]);
/** A public key; what is in it is for the library to judge. */
const jwk = z.looseObject({ kty: z.string() });
const roleSchema = z.strictObject({
  policies: z.array(policy),
  inline_policies: z.optional(z.record(z.string(), policy)),
  permissions_boundary: z.optional(z.strictObject({ arn: z.string(), document: policy })),
  trust: policy,
  max_session_duration: z.optional(z.int().check(z.minimum(3600), z.maximum(43_200))),
});
type RoleBlock = z.infer<typeof roleSchema>;
const worldSchema = z.strictObject({
  account: z.optional(z.string().check(z.regex(/^\d{12}$/, "an account is twelve digits"))),
  audiences: z.optional(z.array(z.string())),
  platform: z.optional(z.enum(PLATFORM_NAMES)),
  claims: z.optional(z.record(z.string(), z.unknown())),
  issuer: z.optional(
    z.strictObject({ url: z.url(), jwks: z.union([z.string(), z.strictObject({ keys: z.array(jwk) })]) }),
  ),
  roles: z.optional(
    z.record(
      z.string().check(z.regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, "a role is named by its ARN")),
      roleSchema,
    ),
  ),
  iam_propagation_ms: z.optional(z.int().check(z.minimum(0))),
  managed_policies: z.optional(z.record(z.string(), policy)),
  buckets: z.optional(z.record(z.string(), z.record(z.string(), z.string()))),
  azure: z.optional(azureWorldSchema),
  gcp: z.optional(gcpWorldSchema),
});

type FileSystem = Pick<Runtime, "fs">;

/**
 * Reads what a sandbox is to hold from YAML or JSON; what is absent stays as by default.
 * @throws {AgentctlError} CONFIG_NOT_FOUND, CONFIG_SYNTAX, CONFIG_INVALID
 */
export function readWorldFile(file: string, runtime: FileSystem): Partial<WorldDefinition> {
  const world = readWorld(file, runtime);
  const load = (given: z.infer<typeof policy>): PolicyDocument => loadPolicy(given, path.dirname(file), runtime);
  return definedOnly({
    accountId: world.account,
    audiences: world.audiences,
    platform: world.platform,
    claims: world.claims,
    issuer: world.issuer && { url: world.issuer.url, jwks: loadKeys(world.issuer.jwks, path.dirname(file), runtime) },
    buckets: world.buckets,
    iamPropagationMs: world.iam_propagation_ms,
    managedPolicies: world.managed_policies && mapValues(world.managed_policies, load),
    roles: world.roles && mapValues(world.roles, (role) => resolveRole(role, load)),
    azure: world.azure && resolveAzureWorld(world.azure),
    gcp: world.gcp && resolveGcpWorld(world.gcp),
  });
}

function resolveRole(role: RoleBlock, load: (given: z.infer<typeof policy>) => PolicyDocument): RoleDefinition {
  const { inline_policies: inline, permissions_boundary: boundary, max_session_duration: limit } = role;
  return {
    policies: role.policies.map(load),
    ...(inline !== undefined && { inlinePolicies: mapValues(inline, load) }),
    ...(boundary !== undefined && { permissionsBoundary: { arn: boundary.arn, document: load(boundary.document) } }),
    trust: load(role.trust),
    ...(limit !== undefined && { maxSessionSeconds: limit }),
  };
}

function readWorld(file: string, runtime: FileSystem): z.infer<typeof worldSchema> {
  const checked = check(worldSchema, parseAs("YAML", file, readText(file, runtime), parse));
  if ("data" in checked) return checked.data;
  const { path: where, message } = checked.wrong;
  throw new AgentctlError("CONFIG_INVALID", `${file}: ${where || "the file"}: ${message}`, {
    hint: "agentctl sandbox --help shows what a world file may hold",
  });
}

function loadPolicy(given: z.infer<typeof policy>, base: string, runtime: FileSystem): PolicyDocument {
  if (typeof given !== "string") return given;
  const file = path.resolve(base, given);
  return parseAs("JSON", file, readText(file, runtime), JSON.parse) as PolicyDocument;
}

function loadKeys(given: string | JSONWebKeySet, base: string, runtime: FileSystem): JSONWebKeySet {
  if (typeof given !== "string") return given;
  const file = path.resolve(base, given);
  return parseAs("JSON", file, readText(file, runtime), JSON.parse) as JSONWebKeySet;
}

function readText(file: string, { fs }: FileSystem): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new AgentctlError("CONFIG_NOT_FOUND", `cannot read ${file}: ${explainSystemError(error)}`, {
      hint: "a relative path starts from the working directory, and in a world file from the directory of that file",
      cause: error,
    });
  }
}

function parseAs(language: string, file: string, text: string, read: (text: string) => unknown): unknown {
  try {
    return read(text);
  } catch (error) {
    const detail = firstLine(error instanceof Error ? error.message : String(error));
    throw new AgentctlError("CONFIG_SYNTAX", `${file} is not ${language}: ${detail}`, { cause: error });
  }
}

function definedOnly<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

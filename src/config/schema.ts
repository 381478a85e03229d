import * as z from "zod/mini";
import { ACTOR_KINDS } from "../core/profile.js";
import { CLOUD_SCHEMAS } from "./cloud-blocks.js";
import { durationValue, filledList, plainText, profileName, textValue, variableName } from "./schema-values.js";

// One parse per process: compiling parsers costs more than it saves.
z.config({ jitless: true });

const MAX_TTL_SECONDS = 12 * 3600;
const MAX_GRACE_SECONDS = 3600;

const ttl = durationValue("How long a lease lasts at most, 1s to 12h. Default 1h", 1, MAX_TTL_SECONDS);
const credentialTtl = durationValue(
  "How long one credential lasts where the endpoint renews it, 5s to 12h. Default 15m",
  5,
  MAX_TTL_SECONDS,
);
const peerCheck = z.enum(["auto", "require", "off"]).register(z.globalRegistry, {
  description:
    "Whether who asks the endpoint must descend from the child: unless that cannot be told (auto, the default), always, or never; off only in the user's own settings",
});
const grace = durationValue("Between SIGTERM and SIGKILL with on_expiry: stop. Default 30s", 1, MAX_GRACE_SECONDS);
const onExpiry = z
  .enum(["warn", "stop"])
  .register(z.globalRegistry, { description: "At the deadline: say so (warn, the default), or end the child (stop)" });
const revoke = z.enum(["auto", "required", "none"]).register(z.globalRegistry, {
  description:
    "Whether grants are taken back at the end: where that is set up (auto, the default), or else the run fails with exit 79 (required), or never (none)",
});
const deliver = z
  .enum(["auto", "env", "endpoint"])
  .register(z.globalRegistry, { description: "How the child is given the credentials. Default auto" });

const identity = z
  .strictObject({
    source: textValue(
      "Where the OIDC identity comes from, such as github-actions; auto (the default) detects it",
      (value) => (/^[a-z][a-z0-9-]{0,63}$/.test(value) ? undefined : "is not the name of an identity source"),
      { pattern: "^[a-z][a-z0-9-]{0,63}$", examples: ["auto", "github-actions", "env", "token-file"] },
    ),
  })
  .register(z.globalRegistry, { description: "Who the caller is" });

const defaults = z
  .strictObject({
    ttl: z.optional(ttl),
    credential_ttl: z.optional(credentialTtl),
    deliver: z.optional(deliver),
    peer_check: z.optional(peerCheck),
    on_expiry: z.optional(onExpiry),
    grace: z.optional(grace),
    revoke: z.optional(revoke),
  })
  .register(z.globalRegistry, { description: "For the profiles that do not say otherwise" });

const pass = z.array(variableName).register(z.globalRegistry, {
  description: "Variables that the child keeps although they would be removed; no credential in a project's file",
});

const set = z
  .record(
    variableName,
    z.string().check(z.refine((value) => !value.includes("\0"), { error: "has a NUL character in it" })),
  )
  .register(z.globalRegistry, {
    description:
      "Variables to set for the child; in a project's file no PATH, loader, interpreter, proxy, CA or endpoint",
  });

const env = z
  .strictObject({
    mode: z.optional(
      z.enum(["cloud", "strict"]).register(z.globalRegistry, {
        description: "cloud removes credentials; strict keeps an allowlist. Default cloud, strict for an agent",
      }),
    ),
    pass: z.optional(pass),
    set: z.optional(set),
  })
  .register(z.globalRegistry, { description: "The child's environment" });

const profile = z
  .strictObject({
    extends: z.optional(
      z
        .union([profileName, filledList("Several, the later over the earlier", profileName)])
        .register(z.globalRegistry, {
          description:
            "Profiles of the same file that this one starts from: maps are merged, everything else is replaced",
        }),
    ),
    description: z.optional(plainText("What the task is, in one line", 200)),
    ttl: z.optional(ttl),
    credential_ttl: z.optional(credentialTtl),
    on_expiry: z.optional(onExpiry),
    grace: z.optional(grace),
    revoke: z.optional(revoke),
    deliver: z.optional(deliver),
    peer_check: z.optional(peerCheck),
    actors: z.optional(filledList("Who may use it; absent means everyone", z.enum(ACTOR_KINDS))),
    commands: z.optional(
      filledList(
        'Commands that may be run with it, such as "aws s3 *"; absent means any',
        plainText("A command", 1024),
      ),
    ),
    identity: z.optional(identity),
    env: z.optional(env),
    ...CLOUD_SCHEMAS,
  })
  .register(z.globalRegistry, { description: "A named task scope" });

const auditArgv = z.enum(["first", "full"]).register(z.globalRegistry, {
  description:
    "How much of the command is on record: its name (first, the default) or every argument, secrets included (full)",
});

const shared = {
  version: z.literal(1).register(z.globalRegistry, { description: "The version of this format" }),
  identity: z.optional(identity),
  defaults: z.optional(defaults),
};

/** `agentctl.yaml`: a project's file, which may be the work of an agent or of a pull request. */
export const projectSchema = z.strictObject({
  ...shared,
  profiles: z.record(profileName, profile).register(z.globalRegistry, { description: "The task scopes, by name" }),
  audit: z.optional(
    z.strictObject({ argv: z.optional(auditArgv) }).register(z.globalRegistry, { description: "The audit log" }),
  ),
});

/** `$XDG_CONFIG_HOME/agentctl/config.yaml`: the user's own settings, trusted like the command line. */
export const userSchema = z.strictObject({
  ...shared,
  profiles: z.optional(
    z.record(profileName, profile).register(z.globalRegistry, { description: "Profiles of the user's own" }),
  ),
  env: z.optional(
    z
      .strictObject({ pass: z.optional(pass), set: z.optional(set) })
      .register(z.globalRegistry, { description: "For every profile; a profile's own values go first" }),
  ),
  audit: z.optional(
    z
      .strictObject({
        argv: z.optional(auditArgv),
        sinks: z.optional(
          z
            .array(z.enum(["stderr", "syslog"]))
            .register(z.globalRegistry, { description: "Where records go besides the audit log" }),
        ),
      })
      .register(z.globalRegistry, { description: "The audit log" }),
  ),
});

export type ProfileBlock = z.infer<typeof profile>;
/** What either file may hold; a project's file holds less. */
export type ConfigData = z.infer<typeof userSchema>;

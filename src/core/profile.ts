/** The clouds, in the order in which agentctl names them. A new cloud adds its name here. */
export const CLOUD_NAMES = ["aws"] as const;
export type CloudName = (typeof CLOUD_NAMES)[number];

export const ACTOR_KINDS = ["human", "automation", "agent"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

export type EnvMode = "cloud" | "strict";
export type DeliveryMode = "auto" | "env";
export type OnExpiry = "warn" | "stop";

/** An IAM policy document, as parsed JSON. */
export type PolicyDocument = Readonly<Record<string, unknown>>;

export interface AwsHop {
  readonly roleArn: string;
  readonly externalId?: string;
}

/** The `aws` block of a profile, validated, with the session policy read in. */
export interface AwsSettings {
  readonly roleArn: string;
  readonly region?: string;
  /** The parsed session policy and where it was written: a file's path, or `inline`. */
  readonly sessionPolicy?: { readonly document: PolicyDocument; readonly origin: string };
  readonly policyArns: readonly string[];
  readonly chain: readonly AwsHop[];
  /** false, true, or the role ARNs that the child may assume further. */
  readonly allowDerivedSessions: boolean | readonly string[];
  readonly fenceForwarded: boolean;
  readonly audience: string;
}

/** What each cloud's room is given. A new cloud adds its settings here. */
export interface CloudSettings {
  readonly aws?: AwsSettings;
}

/** A named task scope, resolved: `extends` and `defaults` merged, files read, paths absolute. */
export interface Profile {
  readonly name: string;
  readonly description?: string;
  /** The configuration file it was read from. */
  readonly file: string;
  readonly ttlSeconds: number;
  readonly onExpiry: OnExpiry;
  /** Seconds between SIGTERM and SIGKILL with `on_expiry: stop`. */
  readonly graceSeconds: number;
  readonly deliver: DeliveryMode;
  /** Who may use it; absent means every kind of actor. */
  readonly actors?: readonly ActorKind[];
  /** Patterns of permitted commands; absent means any command. */
  readonly commands?: readonly string[];
  readonly identitySource: string;
  readonly clouds: CloudSettings;
  readonly env: {
    /** Absent: `strict` for an agent, `cloud` for everybody else. */
    readonly mode?: EnvMode;
    readonly pass: readonly string[];
    readonly set: Readonly<Record<string, string>>;
  };
  readonly auditArgv: "first" | "full";
  /** Where audit records go besides the log; from the user's own configuration only. */
  readonly auditSinks: readonly AuditSinkName[];
}

export type AuditSinkName = "stderr" | "syslog";

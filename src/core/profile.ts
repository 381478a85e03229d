/** The clouds, in the order in which agentctl names them. A new cloud adds its name here. */
export const CLOUD_NAMES = ["aws", "azure", "gcp"] as const;
export type CloudName = (typeof CLOUD_NAMES)[number];

export const ACTOR_KINDS = ["human", "automation", "agent"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

export type EnvMode = "cloud" | "strict";
/** How a grant reaches the child: in its environment, or over the lease's loopback endpoint. */
export type Channel = "env" | "endpoint";
/** What is asked for; `auto` is resolved to a channel for each cloud. */
export type DeliveryMode = "auto" | Channel;
/** Whether the endpoint checks that a caller descends from the child: where it can, always, or never. */
export type PeerCheck = "auto" | "require" | "off";
export type OnExpiry = "warn" | "stop";
/** Whether grants are taken back at the end: where that is set up, or else the run fails, or never. */
export type RevokeMode = "auto" | "required" | "none";

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
  /** What the OIDC token may be for; at least one. A source that mints is asked for the first. */
  readonly audiences: readonly string[];
  /** Who writes the deny that takes a session back: a role of the last role's account, assumed with the OIDC token. */
  readonly revoker?: { readonly roleArn: string };
  /** True: the last role needs no permissions boundary for the revoker to be used on it. */
  readonly acceptEscalation: boolean;
}

/** What has to be seen working, with the lease's own token, before the command starts and its time begins. */
export interface ReadySettings {
  /** In the cloud's own words, such as `storage.objects.get`; at least one. */
  readonly permissions: readonly string[];
  /** Where they are tried; absent: at the one resource or scope that something is given on. */
  readonly at?: string;
  readonly timeoutSeconds: number;
}

/** The `azure` block of a profile, validated. */
export interface AzureSettings {
  /** The tenant's id, or one of its domains. */
  readonly tenantId: string;
  readonly clientId: string;
  readonly subscriptionId?: string;
  /** Others that may be taken in the place of `clientId` while that has a lease; without it. */
  readonly otherClientIds: readonly string[];
  /** The application that gives and takes the assignments. */
  readonly granter?: { readonly clientId: string };
  /** Given to the application for the lease, each a role's name or definition id, and a resource id. */
  readonly assignments: readonly { readonly role: string; readonly scope: string }[];
  /** True: plain assignments, which do not end by themselves, are given where time-bound ones cannot be. */
  readonly allowUnbounded: boolean;
  readonly ready?: ReadySettings;
  /** At least one, each `<resource>/.default` of another resource; the first is the one in AZURE_ACCESS_TOKEN. */
  readonly scopes: readonly string[];
  /** What the OIDC token may be for; at least one. A source that mints is asked for the first. */
  readonly audiences: readonly string[];
}

/** One rule of a credential access boundary, in the words of Google's own JSON. */
export interface AccessBoundaryRule {
  /** `//storage.googleapis.com/projects/_/buckets/BUCKET` */
  readonly availableResource: string;
  /** `inRole:roles/storage.objectViewer`, … */
  readonly availablePermissions: readonly string[];
  readonly availabilityCondition?: {
    readonly expression: string;
    readonly title?: string;
    readonly description?: string;
  };
}

/** The `gcp` block of a profile, validated. */
export interface GcpSettings {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly workloadIdentityProvider: string;
  /** Absent: the child is given the federated token itself. */
  readonly serviceAccount?: string;
  readonly projectId?: string;
  readonly scopes: readonly string[];
  /** Empty: no narrowing. */
  readonly accessBoundary: readonly AccessBoundaryRule[];
  /** What the OIDC token may be for; absent means the provider's own, `https://iam.googleapis.com/<provider>`. */
  readonly audiences?: readonly string[];
  /** The service account that gives and takes the bindings and the entitlement's grant. */
  readonly granter?: { readonly serviceAccount: string };
  /** Given for the lease, each a role and a full resource name such as `//storage.googleapis.com/projects/_/buckets/B`. */
  readonly bindings: readonly { readonly role: string; readonly resource: string }[];
  /** `projects/P/locations/L/entitlements/E` of Privileged Access Manager, or of a folder or an organization. */
  readonly entitlement?: string;
  readonly ready?: ReadySettings;
  /** Serve a metadata server besides, for tools that read nothing else. */
  readonly metadata: boolean;
}

/** What each cloud's room is given. A new cloud adds its settings here. */
export interface CloudSettings {
  readonly aws?: AwsSettings;
  readonly azure?: AzureSettings;
  readonly gcp?: GcpSettings;
}

/** A named task scope, resolved: `extends` and `defaults` merged, files read, paths absolute. */
export interface Profile {
  readonly name: string;
  readonly description?: string;
  /** The configuration file it was read from. */
  readonly file: string;
  readonly ttlSeconds: number;
  /** One grant's life where the endpoint can renew it. */
  readonly credentialTtlSeconds: number;
  readonly onExpiry: OnExpiry;
  /** Seconds between SIGTERM and SIGKILL with `on_expiry: stop`. */
  readonly graceSeconds: number;
  readonly revoke: RevokeMode;
  readonly deliver: DeliveryMode;
  readonly peerCheck: PeerCheck;
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

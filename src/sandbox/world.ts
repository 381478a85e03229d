import type { PolicyDocument } from "../core/profile.js";
import { type AzureWorld, defaultAzure } from "./azure/world.js";
import { defaultGcp, type GcpWorld } from "./gcp/world.js";
import type { PlatformName } from "./oidc/platforms.js";
import type { ForeignIssuer } from "./oidc/trusted-issuer.js";

export const DEFAULT_ACCOUNT = "111122223333";
const GITHUB_ISSUER_HOST = "token.actions.githubusercontent.com";
const REVOKING = [
  "iam:GetRole",
  "iam:ListRolePolicies",
  "iam:GetRolePolicy",
  "iam:PutRolePolicy",
  "iam:DeleteRolePolicy",
];

export interface RoleDefinition {
  /** What the attached managed policies hold: any number of documents, which stay. */
  readonly policies: readonly PolicyDocument[];
  /** By name; what there is from the start, since IAM's own calls put and delete them. */
  readonly inlinePolicies?: Readonly<Record<string, PolicyDocument>>;
  /** A managed policy that says what the role can be allowed at most. */
  readonly permissionsBoundary?: PermissionsBoundary;
  /**
   * The trust policy. Its federated principal and condition keys may name the platform's own issuer, such as
   * `token.actions.githubusercontent.com`, or the sandbox's; both mean the sandbox's.
   */
  readonly trust: PolicyDocument;
  /** 3 600 to 43 200; default 3 600, as in AWS. */
  readonly maxSessionSeconds?: number;
}

export interface PermissionsBoundary {
  readonly arn: string;
  readonly document: PolicyDocument;
}

export interface WorldDefinition {
  /** Twelve digits: the account of the buckets and of the identity provider. */
  readonly accountId: string;
  /** The identity provider's client ids: audiences that STS takes. */
  readonly audiences: readonly string[];
  /** By role ARN. */
  readonly roles: Readonly<Record<string, RoleDefinition>>;
  /** How long a change of a role's inline policies takes until it counts, in milliseconds; default 0. */
  readonly iamPropagationMs?: number;
  /** By policy ARN: what `PolicyArns` may name. */
  readonly managedPolicies: Readonly<Record<string, PolicyDocument>>;
  /** Bucket → key → content. */
  readonly buckets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Where the caller runs, which says what its tokens look like and how it finds them. */
  readonly platform: PlatformName;
  /** Whose tokens the clouds trust, in the place of the sandbox's own. */
  readonly issuer?: ForeignIssuer;
  /** Laid over the claims of the tokens handed out. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly azure: AzureWorld;
  readonly gcp: GcpWorld;
}

/** What the sandbox holds when it is told nothing else. */
export function defaultWorld(accountId: string = DEFAULT_ACCOUNT): WorldDefinition {
  const roleArn = (name: string): string => `arn:aws:iam::${accountId}:role/${name}`;
  return {
    accountId,
    audiences: ["sts.amazonaws.com"],
    roles: {
      [roleArn("agentctl-demo")]: {
        policies: [
          allow(["s3:ListAllMyBuckets"], "*"),
          allow(["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"], bucketAndObjects("demo")),
          allow(["sts:AssumeRole"], roleArn("agentctl-chained")),
        ],
        permissionsBoundary: {
          arn: `arn:aws:iam::${accountId}:policy/agentctl-boundary`,
          document: allow(["s3:*", "sts:*"], "*"),
        },
        trust: trustPlatforms(accountId),
        maxSessionSeconds: 43_200,
      },
      [roleArn("agentctl-chained")]: {
        policies: [allow(["s3:ListBucket", "s3:GetObject", "s3:PutObject"], bucketAndObjects("demo"))],
        trust: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: roleArn("agentctl-demo") }, Action: "sts:AssumeRole" }],
        },
      },
      [revokerArn(accountId)]: {
        policies: [allow(REVOKING, [roleArn("agentctl-demo"), roleArn("agentctl-chained")])],
        trust: trustPlatforms(accountId),
      },
    },
    managedPolicies: {
      "arn:aws:iam::aws:policy/ReadOnlyAccess": allow(["s3:Get*", "s3:List*"], "*"),
      "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess": allow(["s3:Get*", "s3:List*"], "*"),
    },
    buckets: {
      demo: { "hello.txt": "Hello from the agentctl sandbox.\n", "reports/2026/q3.csv": "region,total\neu,42\n" },
      other: { "private.txt": "Not for the demo role.\n" },
    },
    platform: "github",
    claims: {},
    azure: defaultAzure(),
    gcp: defaultGcp(),
  };
}

/** The role that takes sessions back. */
export function revokerArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:role/agentctl-revoker`;
}

/** For what the sandbox's tokens are about by default, on whichever platform. */
function trustPlatforms(accountId: string): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      trustStatement(accountId, GITHUB_ISSUER_HOST, "repo:acme/site:ref:refs/heads/main"),
      trustStatement(accountId, "gitlab.com", "project_path:acme/site:ref_type:branch:ref:main"),
      trustStatement(accountId, "kubernetes.default.svc.cluster.local", "system:serviceaccount:acme:deploy"),
    ],
  };
}

/** A trust policy as a team writes it for GitHub Actions. */
export function trustGithub(accountId: string, subject: string, audience?: string): PolicyDocument {
  return { Version: "2012-10-17", Statement: [trustStatement(accountId, GITHUB_ISSUER_HOST, subject, audience)] };
}

function trustStatement(accountId: string, issuerHost: string, subject: string, audience = "sts.amazonaws.com") {
  return {
    Effect: "Allow",
    Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${issuerHost}` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${issuerHost}:aud`]: audience }, StringLike: { [`${issuerHost}:sub`]: subject } },
  };
}

function allow(actions: readonly string[], resource: string | readonly string[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: resource }] };
}

function bucketAndObjects(bucket: string): readonly string[] {
  return [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
}

import { createHash } from "node:crypto";
import type { PolicyDocument } from "../core/profile.js";
import { type AzureWorld, defaultAzure } from "./azure/world.js";
import { defaultGcp, type GcpWorld } from "./gcp/world.js";
import type { PlatformName } from "./oidc/platforms.js";
import type { ForeignIssuer } from "./oidc/trusted-issuer.js";

export const DEFAULT_ACCOUNT = "111122223333";
const GITHUB_ISSUER_HOST = "token.actions.githubusercontent.com";

export interface RoleDefinition {
  /** The role's permissions: any number of policy documents. */
  readonly policies: readonly PolicyDocument[];
  /**
   * The trust policy. Its federated principal and condition keys may name the platform's own issuer, such as
   * `token.actions.githubusercontent.com`, or the sandbox's; both mean the sandbox's.
   */
  readonly trust: PolicyDocument;
  /** 3 600 to 43 200; default 3 600, as in AWS. */
  readonly maxSessionSeconds?: number;
}

export interface WorldDefinition {
  /** Twelve digits: the account of the buckets and of the identity provider. */
  readonly accountId: string;
  /** The identity provider's client ids: audiences that STS takes. */
  readonly audiences: readonly string[];
  /** By role ARN. */
  readonly roles: Readonly<Record<string, RoleDefinition>>;
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
        trust: {
          Version: "2012-10-17",
          Statement: [
            trustStatement(accountId, GITHUB_ISSUER_HOST, "repo:acme/site:ref:refs/heads/main"),
            trustStatement(accountId, "gitlab.com", "project_path:acme/site:ref_type:branch:ref:main"),
            trustStatement(accountId, "kubernetes.default.svc.cluster.local", "system:serviceaccount:acme:deploy"),
          ],
        },
        maxSessionSeconds: 43_200,
      },
      [roleArn("agentctl-chained")]: {
        policies: [allow(["s3:ListBucket", "s3:GetObject", "s3:PutObject"], bucketAndObjects("demo"))],
        trust: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: roleArn("agentctl-demo") }, Action: "sts:AssumeRole" }],
        },
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

/** The stable unique id of a role, the first half of `aws:userid`. */
export function roleId(roleArn: string): string {
  return `AROA${base32(createHash("sha256").update(roleArn).digest(), 17)}`;
}

/** `length` characters of the alphabet that AWS makes its identifiers of. */
export function base32(bytes: Uint8Array, length: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from(bytes.subarray(0, length), (byte) => alphabet[byte & 31]).join("");
}

function allow(actions: readonly string[], resource: string | readonly string[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: resource }] };
}

function bucketAndObjects(bucket: string): readonly string[] {
  return [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
}

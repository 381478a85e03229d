import type { PolicyDocument } from "../core/profile.js";
import type { Assignments } from "./azure/authorization/assignments.js";
import type { SandboxClock } from "./clock.js";
import type { FaultBoard } from "./faults.js";
import type { GcpAdmin } from "./gcp/admin.js";
import type { RolePolicies } from "./iam/role-policies.js";
import type { MintRequest } from "./oidc/issuer.js";
import type { LoggedRequest } from "./request-log.js";
import type { WorldDefinition } from "./world.js";

/** What it holds; each part given replaces that part of the default world. */
export type SandboxOptions = Partial<WorldDefinition>;

export interface Sandbox {
  /** The variables that point SDKs, and agentctl, at it. Holds the sandbox's own request token. */
  readonly env: Readonly<Record<string, string>>;
  readonly issuer: string;
  /** A directory only this user can enter, removed by `close`; `ca.pem` is in it. */
  readonly dir: string;
  readonly caFile: string;
  readonly world: WorldDefinition;
  /** An ID token as the issuer gives it, or, on demand, one that STS must refuse. */
  mintToken(request?: MintRequest): Promise<string>;
  /** With the platform `kubernetes`: writes new tokens into the projected files, as the kubelet does. */
  rotateTokens(): Promise<void>;
  readonly faults: FaultBoard;
  readonly clock: SandboxClock;
  /** How long a change of a role's policies takes until it counts. */
  readonly iam: Pick<RolePolicies, "setPropagation" | "propagation">;
  /** Google Cloud's policies, and the grants of Privileged Access Manager. */
  readonly gcp: GcpAdmin;
  /** Azure's role assignments as they stand, and how long a change of them takes until it counts. */
  readonly azureRoles: Pick<
    Assignments,
    | "current"
    | ("setPropagation" | "propagation")
    | ("setRelease" | "release")
    | ("setMinimumAge" | "minimumAge")
    | ("setProvisioning" | "provisioning")
  >;
  /** A role's inline policies by name, as IAM tells them now. */
  rolePolicies(roleArn: string): Readonly<Record<string, PolicyDocument>>;
  /** What was asked of it so far, oldest first, without secrets. */
  requests(): readonly LoggedRequest[];
  /** Stops serving, cuts what is open, removes the directory. */
  close(): Promise<void>;
}

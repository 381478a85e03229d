import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { explainDirectness } from "../../../core/proxy-variables.js";
import { withRetries } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { withinTime } from "../../within-time.js";
import { resolveIamEndpoint, type ServiceEndpoint } from "../endpoint.js";
import { type ExchangeLimits, retryRules } from "../limits.js";
import { interruptionOf } from "../service-errors.js";
import { readRoleArn } from "../setup/trust-policy.js";
import { openIamClient } from "./iam-client.js";
import { explainIamFailure, isRefusedWith } from "./iam-errors.js";
import type { Revoker } from "./revoker.js";

/** IAM gives a hundred names at most at once, and a role cannot hold a thousand policies. */
const MOST_PAGES = 20;

/**
 * One role's inline policies, by the revoker's hand. Each throws AgentctlError: CLOUD_DENIED, UNREACHABLE, THROTTLED,
 * SERVICE_FAILED, BAD_ANSWER, and the signal's reason once it is aborted.
 */
export interface RolePolicies {
  hasBoundary(): Promise<boolean>;
  list(): Promise<readonly string[]>;
  put(name: string, document: string): Promise<void>;
  /** What is gone already is no error. */
  delete(name: string): Promise<void>;
  close(): void;
}

export interface RoleAccess {
  readonly roleArn: string;
  readonly revoker: Revoker;
  readonly signal: AbortSignal;
  readonly limits: ExchangeLimits;
  /** Told of each time that IAM is asked. */
  onTry(): void;
}

/** @throws {AgentctlError} ENDPOINT_INVALID, CONFIG_INVALID */
export function openRolePolicies(access: RoleAccess, runtime: Runtime): RolePolicies {
  const { roleArn, revoker, limits } = access;
  const endpoint = resolveIamEndpoint(roleArn, runtime);
  const { keys, clockAheadMs } = revoker;
  const client = openIamClient(endpoint, { keys, clockAheadMs, connectMs: limits.connectMs }, runtime);
  const role = { RoleName: readRoleArn(roleArn).name };
  const ask = askerOf(access, endpoint, runtime);
  return {
    async hasBoundary() {
      const { Role } = await ask("GetRole", (options) => client.send(new GetRoleCommand(role), options));
      return (Role?.PermissionsBoundary?.PermissionsBoundaryArn ?? "") !== "";
    },
    async list() {
      const names: string[] = [];
      let marker: string | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const input = { ...role, ...(marker !== undefined && { Marker: marker }) };
        const answer = await ask("ListRolePolicies", (options) =>
          client.send(new ListRolePoliciesCommand(input), options),
        );
        names.push(...(answer.PolicyNames ?? []));
        if (answer.IsTruncated !== true || answer.Marker === undefined) break;
        marker = answer.Marker;
      }
      return names;
    },
    async put(name, document) {
      const input = { ...role, PolicyName: name, PolicyDocument: document };
      await ask("PutRolePolicy", (options) => client.send(new PutRolePolicyCommand(input), options));
    },
    async delete(name) {
      const input = { ...role, PolicyName: name };
      try {
        await ask("DeleteRolePolicy", (options) => client.send(new DeleteRolePolicyCommand(input), options));
      } catch (error) {
        // Many leases prune the same role at once.
        if (!isRefusedWith(error, "NoSuchEntity")) throw error;
      }
    },
    close: () => client.destroy(),
  };
}

type Ask = <T>(action: string, send: (options: { abortSignal: AbortSignal }) => Promise<T>) => Promise<T>;

function askerOf(
  { roleArn, revoker, signal, limits, onTry }: RoleAccess,
  endpoint: ServiceEndpoint,
  runtime: Runtime,
): Ask {
  const secrets = [revoker.keys.sessionToken, revoker.keys.secretAccessKey, revoker.keys.accessKeyId];
  return async (action, send) => {
    try {
      return await withRetries(
        () => {
          onTry();
          return withinTime(limits.exchangeMs, signal, (abortSignal) => send({ abortSignal }));
        },
        retryRules(limits, signal),
        runtime,
      );
    } catch (error) {
      if (signal.aborted) throw interruptionOf(signal, endpoint);
      const question = { action, roleArn, revokerRoleArn: revoker.roleArn, endpoint, secrets };
      throw explainDirectness(explainIamFailure(error, question), runtime.env);
    }
  };
}

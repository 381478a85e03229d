import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import { ROLE } from "./settings.js";

const ALLOW_ALL = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } };

export interface Judged {
  readonly call: {
    readonly action: string;
    readonly resource?: string;
    readonly context?: Readonly<Record<string, string>>;
  };
  readonly sessionPolicy?: object;
  /** Beside the one that allows the role everything. */
  readonly identityPolicies?: readonly { readonly name: string; readonly policy: object }[];
}

/** How IAM judges a call by a session of an all-powerful role. */
export async function decide({ call, sessionPolicy, identityPolicies = [] }: Judged): Promise<string> {
  const resource = call.resource ?? "arn:aws:s3:::site/index.html";
  const accountId = resource.split(":")[4] || "111122223333";
  const simulation: Simulation = {
    request: {
      principal: `${ROLE.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/agentctl`,
      action: call.action,
      resource: { resource, accountId },
      contextVariables: { ...call.context },
    },
    ...(sessionPolicy !== undefined && { sessionPolicy }),
    identityPolicies: [{ name: "everything", policy: ALLOW_ALL }, ...identityPolicies],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
  return result.overallResult;
}

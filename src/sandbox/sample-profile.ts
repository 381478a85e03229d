import type { WorldDefinition } from "./world.js";

/** A first `agentctl.yaml` for the default world; undefined when its role is not there. */
export function sampleProfile(world: WorldDefinition): string | undefined {
  const roleArn = `arn:aws:iam::${world.accountId}:role/agentctl-demo`;
  if (world.roles[roleArn] === undefined) return undefined;
  return `version: 1
profiles:
  demo:
    description: Read and write the sandbox's bucket demo
    ttl: 15m
    aws:
      role_arn: ${roleArn}
      region: us-east-1
  demo-readonly:
    description: Only list the bucket demo and read from it
    extends: demo
    aws:
      session_policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*" }
          - Effect: Allow
            Action: ["s3:ListBucket", "s3:GetObject"]
            Resource: ["arn:aws:s3:::demo", "arn:aws:s3:::demo/*"]
`;
}

import { stringify } from "yaml";
import { AgentctlError } from "../../../core/errors.js";
import { comments } from "../../setup/header.js";
import { hasOwnPolicy, type RolePlan } from "./roles.js";
import { type AwsTrustPlan, elsewhereComment } from "./trust-plan.js";

type Resource = Readonly<Record<string, unknown>>;

/**
 * A template in YAML, every text in it quoted.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function renderCloudFormation(plan: AwsTrustPlan): string {
  const deploy = [
    "",
    `To apply, in the account ${plan.accountId}: aws cloudformation deploy --capabilities CAPABILITY_NAMED_IAM \\`,
    "  --template-file FILE --stack-name NAME",
  ];
  const head = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "The trust that an agentctl profile needs",
    Parameters: {
      CreateOidcProvider: {
        Type: "String",
        Default: "true",
        AllowedValues: ["true", "false"],
        Description: "false where the account has this provider already: there is one an issuer",
      },
    },
    Conditions: { CreatesOidcProvider: { "Fn::Equals": [{ Ref: "CreateOidcProvider" }, "true"] } },
  };
  const resources = resourcesOf(plan);
  refuseReferences(resources);
  const parts = [
    comments("#", [...plan.header, ...deploy]),
    toYaml(head),
    comments("#", [...plan.conditions, ...plan.roles.flatMap(roleComments)]),
    toYaml({ Resources: resources }),
    ...plan.elsewhere.map(elsewhereComment),
    toYaml({ Outputs: { RoleArn: { Value: { "Fn::GetAtt": [logicalId(plan.roles[0]), "Arn"] } } } }),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

/** Without aliases, which CloudFormation does not take: one trust policy may stand on two roles. */
function toYaml(value: object): string {
  return stringify(value, {
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

/** No quotes keep CloudFormation from looking up what a dynamic reference names. */
function refuseReferences(resources: Readonly<Record<string, Resource>>): void {
  if (!JSON.stringify(resources).includes("{{resolve:")) return;
  throw new AgentctlError("CONFIG_INVALID", "a claim or the session policy has {{resolve: in it", {
    hint: "CloudFormation would look up what it names: use --format terraform or cli",
  });
}

function resourcesOf(plan: AwsTrustPlan): Readonly<Record<string, Resource>> {
  const resources: Record<string, Resource> = {
    OidcProvider: {
      Type: "AWS::IAM::OIDCProvider",
      Condition: "CreatesOidcProvider",
      Properties: { Url: plan.issuer, ClientIdList: [plan.audience] },
    },
  };
  plan.roles.forEach((role, index) => {
    const id = logicalId(role);
    resources[`${id}Boundary`] = boundaryOf(role);
    const previous = role.kind === "chained" ? plan.roles[index - 1] : undefined;
    resources[id] = {
      Type: "AWS::IAM::Role",
      ...(previous !== undefined && { DependsOn: logicalId(previous) }),
      Properties: { ...propertiesOf(role), ...(previous === undefined && { Tags: [afterProvider(plan.providerArn)] }) },
    };
  });
  return resources;
}

function boundaryOf(role: RolePlan): Resource {
  return {
    Type: "AWS::IAM::ManagedPolicy",
    Properties: { ManagedPolicyName: role.boundaryName, Path: role.path, PolicyDocument: role.boundary },
  };
}

/** Makes the role wait for the provider, where the stack makes one: DependsOn may not name what may not be there. */
function afterProvider(providerArn: string): Resource {
  const value = { "Fn::If": ["CreatesOidcProvider", { Ref: "OidcProvider" }, providerArn] };
  return { Key: "agentctl:provider", Value: value };
}

function propertiesOf(role: RolePlan): Resource {
  const own = hasOwnPolicy(role) ? [{ PolicyName: role.policyName, PolicyDocument: role.permissions }] : [];
  return {
    RoleName: role.name,
    Path: role.path,
    MaxSessionDuration: role.maxSessionSeconds,
    PermissionsBoundary: { Ref: `${logicalId(role)}Boundary` },
    AssumeRolePolicyDocument: role.trust,
    ...(own.length > 0 && { Policies: own }),
    ...(role.managedPolicyArns.length > 0 && { ManagedPolicyArns: role.managedPolicyArns }),
  };
}

function roleComments(role: RolePlan): readonly string[] {
  const boundary = `${logicalId(role)}Boundary: the most that ${role.name} can ever be, whatever is attached to it.`;
  const [first = "", ...more] = role.isToBeFilled || role.kind === "revoker" ? role.permissionsWhy : [];
  return ["", boundary, ...(first === "" ? [] : [`${logicalId(role)}: ${first}`]), ...more];
}

/** `role` → `Role`, `chained_2` → `Chained2`: letters and digits are all that a logical id may have. */
function logicalId(role: RolePlan | undefined): string {
  const label = role?.label ?? "role";
  return `${label.charAt(0).toUpperCase()}${label.slice(1).replace("_", "")}`;
}

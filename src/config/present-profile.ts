import { stringify } from "yaml";
import { formatDuration } from "../core/durations.js";
import type {
  AccessBoundaryRule,
  AwsSettings,
  AzureSettings,
  CloudSettings,
  GcpSettings,
  Profile,
  ReadySettings,
} from "../core/profile.js";

/** A resolved profile in the words of the configuration file, for `profile show`; every default is written out. */
export function presentProfile(profile: Profile): Readonly<Record<string, unknown>> {
  const { env } = profile;
  return dropAbsent({
    name: profile.name,
    file: profile.file,
    description: profile.description,
    ttl: formatDuration(profile.ttlSeconds),
    credential_ttl: formatDuration(profile.credentialTtlSeconds),
    on_expiry: profile.onExpiry,
    grace: formatDuration(profile.graceSeconds),
    revoke: profile.revoke,
    deliver: profile.deliver,
    peer_check: profile.peerCheck,
    actors: profile.actors,
    commands: profile.commands,
    identity: { source: profile.identitySource },
    ...presentClouds(profile.clouds),
    env: dropAbsent({ mode: env.mode, pass: env.pass, set: env.set }),
    audit: { argv: profile.auditArgv, sinks: profile.auditSinks },
  });
}

/** The same as YAML. */
export function renderProfile(profile: Profile): string {
  return stringify(presentProfile(profile), { lineWidth: 0, aliasDuplicateObjects: false });
}

function presentClouds({ aws, azure, gcp }: CloudSettings): Readonly<Record<string, unknown>> {
  return dropAbsent({
    aws: aws && presentAws(aws),
    azure: azure && presentAzure(azure),
    gcp: gcp && presentGcp(gcp),
  });
}

function presentAws(aws: AwsSettings): Readonly<Record<string, unknown>> {
  return dropAbsent({
    role_arn: aws.roleArn,
    region: aws.region,
    session_policy: aws.sessionPolicy?.document,
    session_policy_from: aws.sessionPolicy?.origin,
    policy_arns: aws.policyArns,
    chain: aws.chain.map(({ roleArn, externalId }) => dropAbsent({ role_arn: roleArn, external_id: externalId })),
    allow_derived_sessions: aws.allowDerivedSessions,
    fence_forwarded: aws.fenceForwarded,
    audience: presentAudiences(aws.audiences),
    revoker: aws.revoker && { role_arn: aws.revoker.roleArn },
    accept_escalation: aws.acceptEscalation,
  });
}

function presentAzure(azure: AzureSettings): Readonly<Record<string, unknown>> {
  return dropAbsent({
    tenant_id: azure.tenantId,
    ...presentClients(azure),
    subscription_id: azure.subscriptionId,
    scopes: azure.scopes,
    audience: presentAudiences(azure.audiences),
    granter: azure.granter && { client_id: azure.granter.clientId },
    assignments: unlessEmpty(azure.assignments),
    allow_unbounded: azure.allowUnbounded,
    ready: azure.ready && presentReady(azure.ready),
  });
}

function presentClients({ clientId, otherClientIds }: AzureSettings): Readonly<Record<string, unknown>> {
  return otherClientIds.length === 0 ? { client_id: clientId } : { client_ids: [clientId, ...otherClientIds] };
}

function presentReady({ permissions, at, timeoutSeconds }: ReadySettings): Readonly<Record<string, unknown>> {
  return dropAbsent({ permissions, at, timeout: formatDuration(timeoutSeconds) });
}

/** The configuration file takes no empty list there. */
function unlessEmpty(entries: readonly object[]): readonly object[] | undefined {
  return entries.length === 0 ? undefined : entries;
}

/** The audience that stands for itself is the provider's own, which its name already says. */
function presentGcp(gcp: GcpSettings): Readonly<Record<string, unknown>> {
  return dropAbsent({
    workload_identity_provider: gcp.workloadIdentityProvider,
    service_account: gcp.serviceAccount,
    project_id: gcp.projectId,
    scopes: gcp.scopes,
    access_boundary: gcp.accessBoundary.map(presentRule),
    metadata: gcp.metadata,
    audience: gcp.audiences && presentAudiences(gcp.audiences),
    granter: gcp.granter && { service_account: gcp.granter.serviceAccount },
    bindings: unlessEmpty(gcp.bindings),
    entitlement: gcp.entitlement,
    ready: gcp.ready && presentReady(gcp.ready),
  });
}

function presentRule(rule: AccessBoundaryRule): Readonly<Record<string, unknown>> {
  return dropAbsent({
    available_resource: rule.availableResource,
    available_permissions: rule.availablePermissions,
    availability_condition: rule.availabilityCondition,
  });
}

/** One by itself, as most profiles have it. */
function presentAudiences(audiences: readonly string[]): string | readonly string[] {
  const [only, ...others] = audiences;
  return only === undefined || others.length > 0 ? audiences : only;
}

function dropAbsent(block: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}

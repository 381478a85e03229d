import { stringify } from "yaml";
import { formatDuration } from "../core/durations.js";
import type { AwsSettings, CloudSettings, Profile } from "../core/profile.js";

/** A resolved profile in the words of the configuration file, for `profile show`; every default is written out. */
export function presentProfile(profile: Profile): Readonly<Record<string, unknown>> {
  const { env } = profile;
  return dropAbsent({
    name: profile.name,
    file: profile.file,
    description: profile.description,
    ttl: formatDuration(profile.ttlSeconds),
    on_expiry: profile.onExpiry,
    grace: formatDuration(profile.graceSeconds),
    deliver: profile.deliver,
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

function presentClouds({ aws }: CloudSettings): Readonly<Record<string, unknown>> {
  return { ...(aws !== undefined && { aws: presentAws(aws) }) };
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
    audience: aws.audience,
  });
}

function dropAbsent(block: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined));
}

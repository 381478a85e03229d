/** What the names of our denies on a role begin with, so that anybody can find, and prune, what nobody remembers. */
const MARK = "agentctl-revoke-";
const NAME = /^agentctl-revoke-(\d{9,11})-(l-[0-9A-Za-z]{16})$/;

/** A clock that is wrong by less than this prunes no deny that is still needed. */
const GRACE_SECONDS = 300;

/** What the name of a deny says. */
export interface DenyName {
  readonly name: string;
  readonly leaseId: string;
  /** When its session is fenced anyway, by AWS's clock. */
  readonly untilSeconds: number;
}

export function denyNameOf(leaseId: string, untilSeconds: number): string {
  return `${MARK}${untilSeconds}-${leaseId}`;
}

/** Undefined for every policy that is not a deny of ours. */
export function readDenyName(name: string): DenyName | undefined {
  const [, until, leaseId] = NAME.exec(name) ?? [];
  return leaseId === undefined ? undefined : { name, leaseId, untilSeconds: Number(until) };
}

/** Whether its session's own policy has denied everything for long enough. */
export function hasExpired({ untilSeconds }: DenyName, awsNow: number): boolean {
  return (untilSeconds + GRACE_SECONDS) * 1000 < awsNow;
}

/**
 * Denies everything to the sessions of this name, whichever role id stands before it: all that one lease was issued on
 * this role, renewed or not, and nobody else's. As short as it can be, since all of a role's inline policies share
 * 10,240 characters; but with a Version, since there are services in IAM's place that take none without.
 */
export function denyDocument(sessionName: string): string {
  const condition = { StringLike: { "aws:userid": `*:${sessionName}` } };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Deny", Action: "*", Resource: "*", Condition: condition },
  });
}

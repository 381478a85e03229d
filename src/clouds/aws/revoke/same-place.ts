import { AgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import { resolveEndpoint, resolveIamEndpoint, type ServiceEndpoint } from "../endpoint.js";
import type { Target } from "./undo.js";

/**
 * Makes sure that STS and IAM are the ones that the session was issued by. Another AWS, such as another sandbox, may have
 * roles of the same names: a deny that is put there takes nothing back.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function requireSamePlace(
  { stsRegion, roleArn, stsUrl, iamUrl }: Pick<Target, "stsRegion" | "roleArn" | "stsUrl" | "iamUrl">,
  runtime: Pick<Runtime, "env">,
): void {
  requireSame("it was issued by", stsUrl, resolveEndpoint("STS", stsRegion, runtime));
  requireSame("its role is at", iamUrl, resolveIamEndpoint(roleArn, runtime));
}

function requireSame(what: string, url: string | undefined, { service, override }: ServiceEndpoint): void {
  if (url === override?.url) return;
  const there = url === undefined ? `AWS's own ${service}, not the one` : `another ${service} (${url}) than`;
  const here = override === undefined ? "AWS's own, which is asked here" : `${override.variable} names here`;
  const facts = { ...(url !== undefined && { issuedBy: url }), ...(override !== undefined && { asked: override.url }) };
  throw new AgentctlError("ENDPOINT_INVALID", `${what} ${there} ${here}`, {
    facts,
    hint: "end it where agentctl talks to the AWS that issued it",
  });
}

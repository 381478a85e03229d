import { formatInstant } from "../core/durations.js";
import type { TokenFinding } from "../identity/index.js";
import type { Check } from "./check.js";
import { type Finding, failWith, ok } from "./finding.js";

export const checkIdentity: Check = {
  name: "identity",
  async run(examination) {
    const { source, reason, tokens } = await examination.identity();
    const from = `${source} (${reason})`;
    if (tokens.length === 0) return [ok(`from ${from}, which mints a token when it is asked`, { source })];
    return tokens.map((finding) => judgeToken(finding, from));
  },
};

function judgeToken({ wanted, clouds, token, problem }: TokenFinding, from: string): Finding {
  if (problem !== undefined) return failWith(problem, clouds.join(" and "));
  if (token === undefined) return ok(`from ${from}`);
  const { subject, issuer, audience, expiresAt } = token;
  const whose = clouds.length === 0 ? "" : ` (${clouds.join(", ")})`;
  const forWhom = `for ${wanted ?? audience.join(", ")}${whose}`;
  const until = formatInstant(expiresAt);
  return ok(`${subject} of ${issuer}, from ${from}, ${forWhom}, until ${until}`, { issuer, subject, audience, until });
}

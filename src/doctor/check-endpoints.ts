import type { Check } from "./check.js";
import { NotTried } from "./examination.js";
import { note, ok } from "./finding.js";

export const checkEndpoints: Check = {
  name: "endpoints",
  async run(examination) {
    const { plans } = await examination.configuration().catch(() => {
      throw new NotTried("there is no configuration to look through");
    });
    const overrides = new Map(plans.flatMap(({ endpoints }) => endpoints).map(({ variable, url }) => [variable, url]));
    if (overrides.size === 0) return [ok("each cloud is asked at its own address")];
    return [...overrides].map(([variable, url]) =>
      note(`${variable} sends ${whatGoesBy(variable, overrides)} to ${url}`),
    );
  },
};

/** Only the token services are shown who the caller is. */
function whatGoesBy(variable: string, overrides: ReadonlyMap<string, string>): string {
  const isBesideSts = variable === "AWS_ENDPOINT_URL" && overrides.has("AWS_ENDPOINT_URL_STS");
  if (variable === "AWS_ENDPOINT_URL_IAM" || isBesideSts) return "what is asked of AWS's IAM";
  return variable.endsWith("_IAMCREDENTIALS") ? "what is asked of Google's IAM Credentials" : "identity tokens";
}

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

/** The services that are not shown who the caller is. */
const ASKED: Readonly<Record<string, string>> = {
  AWS_ENDPOINT_URL_IAM: "AWS's IAM",
  AZURE_RESOURCE_MANAGER_ENDPOINT: "Azure Resource Manager",
  CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: "Google's IAM Credentials",
  CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "Google's IAM",
  CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: "Google's Resource Manager",
  CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVILEGEDACCESSMANAGER: "Google's Privileged Access Manager",
  CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "Google's Cloud Storage",
};

function whatGoesBy(variable: string, overrides: ReadonlyMap<string, string>): string {
  const isBesideSts = variable === "AWS_ENDPOINT_URL" && overrides.has("AWS_ENDPOINT_URL_STS");
  const asked = ASKED[isBesideSts ? "AWS_ENDPOINT_URL_IAM" : variable];
  return asked === undefined ? "identity tokens" : `what is asked of ${asked}`;
}

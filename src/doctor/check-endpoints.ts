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
    return [...overrides].map(([variable, url]) => note(`${variable} sends identity tokens to ${url}`));
  },
};

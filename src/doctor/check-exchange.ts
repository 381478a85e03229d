import type { IdentityInspection } from "../identity/index.js";
import type { Check } from "./check.js";
import { type Examination, NotTried } from "./examination.js";
import { judgeTrial } from "./judge-trial.js";
import { tryGrants } from "./try-grants.js";

export const checkExchange: Check = {
  name: "exchange",
  async run(examination) {
    const trial = await examination.trial();
    const { tokens } = await identityOf(examination);
    const trials = await tryGrants(trial, examination);
    return trials.flatMap((each) => judgeTrial(each, trial, tokens));
  },
};

/** Without one every cloud would fail alike; why there is none is told by the check of it. @throws {NotTried} */
function identityOf(examination: Examination): Promise<IdentityInspection> {
  return examination.identity().catch(() => {
    throw new NotTried("there is no identity");
  });
}

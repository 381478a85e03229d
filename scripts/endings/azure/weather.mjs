// What Azure may be like in a lease of `npm run endings`.
import { control } from "../clouds.mjs";

const USUAL_MS = 5 * 60_000;
/** Of the five minutes for which Azure takes nothing back, so many are over by Azure's clock. */
const OVER_MS = USUAL_MS - 15_000;

/** Azure takes nothing back that is younger than five minutes: by its clock, of which most of them pass at once. */
export const tooEarly = {
  async come() {
    await control("POST", "azure", { minimumAgeMs: USUAL_MS });
    await control("POST", "clock", { offsetMs: OVER_MS, service: "arm" });
  },
  async go() {
    await control("POST", "azure", { minimumAgeMs: 0 });
    await control("POST", "clock", { offsetMs: 0, service: "arm" });
  },
};

/** The tenant has no licence for assignments that end by themselves. */
export const unlicensed = {
  come: () =>
    control("POST", "faults", {
      service: "arm",
      operation: "RoleAssignmentScheduleRequests_Create",
      kind: "error",
      status: 400,
      code: "AadPremiumLicenseRequired",
    }),
  go: () => control("DELETE", "faults"),
};

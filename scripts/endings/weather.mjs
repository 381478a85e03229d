// Faults of one cloud, as the rows of `npm run endings -- chaos` name them.

/** Rows by what the cloud does: `services` are the sandbox's that are struck together. */
export function faultRows(services) {
  return {
    lag: (name, { resource, ms, ...more }, want, isShort = false) => ({
      name,
      strike: ({ control }) => control("POST", resource, { propagationMs: ms, ...more }),
      heal: ({ control }) => control("POST", resource, { propagationMs: 0 }),
      want,
      isShort,
    }),
    fault: (name, how, want, more = {}) => ({
      name,
      strike: ({ control }) =>
        control("POST", "faults", how.service === undefined ? services.map((service) => ({ service, ...how })) : [how]),
      heal: ({ control }) => control("DELETE", "faults"),
      want,
      ...more,
    }),
    awayFor: (name, ms, want) => ({ name, strike: goAwayFor(ms), heal: ({ isBack }) => isBack, want }),
    away: (name, want) => ({
      name,
      strike: ({ lab }) => lab.proxy.goAway(),
      heal: ({ lab }) => lab.proxy.comeBack(),
      want,
    }),
  };
}

function goAwayFor(ms) {
  return async (site) => {
    await site.lab.proxy.goAway();
    site.isBack = new Promise((resolve) => setTimeout(resolve, ms)).then(() => site.lab.proxy.comeBack());
  };
}

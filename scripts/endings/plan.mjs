// Which runs `npm run endings` makes to be killed: each step in turn with each variant, and moments spread over a life.
/**
 * `kill`: agentctl alone; its whole tree, as a runner does it; the watchdog as well, so that a sweep has to do it (both);
 * the watchdog later, while it ends the lease (twice); or whoever waits in its place for the cloud's time (waiting).
 */
const VARIANTS = [
  { profile: "env", kill: "agentctl" },
  { profile: "endpoint", kill: "tree" },
  { profile: "env", traits: ["stubborn"], kill: "agentctl" },
  { profile: "endpoint", traits: ["daemon"], kill: "agentctl" },
  { profile: "env", traits: ["receipt"], kill: "both" },
  { profile: "endpoint", traits: ["receipt"], kill: "agentctl" },
  { profile: "env", traits: ["daemon", "stubborn"], kill: "tree" },
  { profile: "endpoint", traits: ["stubborn"], kill: "both" },
  { profile: "env", traits: ["receipt", "daemon"], kill: "agentctl" },
  { profile: "env", traits: ["daemon"], kill: "twice" },
  { profile: "endpoint", traits: ["receipt"], kill: "twice" },
];
/** Of all runs; the others are killed at a moment. */
const SHARE_OF_STEPS = 0.6;

/** Of the moments, so many are in a life with another of the cloud's profiles. */
const ONE_IN = 3;

/** `share`: of a life, for a run that is killed at a moment. */
export function planRuns(count, { STEPS, FINISHING }, otherProfiles) {
  const stepCount = Math.round(count * SHARE_OF_STEPS);
  const momentCount = count - stepCount;
  const steps = Array.from({ length: stepCount }, (_, number) => {
    const index = stepCount < STEPS.length ? Math.floor((number * STEPS.length) / stepCount) : number;
    const step = STEPS[index % STEPS.length];
    return { ...vary(index + Math.floor(index / STEPS.length), step), step };
  });
  const moments = Array.from({ length: momentCount }, (_, number) => ({
    ...vary(number, { profile: number % ONE_IN === 1 ? otherProfiles[number % otherProfiles.length] : undefined }),
    share: (number + 0.5) / momentCount,
  }));
  return [...steps, ...moments].map((plan, number) => ({ ...plan, number, ...finishing(plan, number, FINISHING) }));
}

/** What agentctl had asked for when it was killed gets there all the same, or does not. */
function vary(number, { needs, profile, kill }) {
  const variant = VARIANTS[number % VARIANTS.length];
  const { traits = [] } = variant;
  const missing = needs === undefined || traits.includes(needs) ? [] : [needs];
  return {
    profile: profile ?? variant.profile,
    kill: kill ?? variant.kill,
    traits: [...traits, ...missing],
    isLost: number % 2 === 1,
  };
}

function finishing({ kill }, number, all) {
  return kill === "twice" ? { finishing: all[number % all.length] } : {};
}

export function describePlan({ number, step, share, profile, kill, traits, isLost }) {
  const beside = step?.beside === undefined ? [] : [`then agentctl ${step.beside.slice(0, 2).join(" ")}`];
  const where = step === undefined ? `after ${(share * 100).toFixed(0)} % of a life` : step.name;
  const how = [profile, ...traits, `kill ${kill}`, ...beside, ...(isLost ? ["its call is lost"] : [])].join(", ");
  return `run ${number}, ${where} (${how})`;
}

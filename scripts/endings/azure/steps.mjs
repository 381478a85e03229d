// What Azure hears in a lease's life, for `npm run endings`.
import { callSteps, hold, lifeWith, onChild, onChildGone, onFile, onFileGone, onRecord } from "../steps.mjs";
import { tooEarly } from "./weather.mjs";

const BE_GRANTER = "token:granter";
const BE_LEASE = "token:jit-one";
const REQUEST = "PUT roleAssignmentScheduleRequests";
const PLAIN = "roleAssignments";
const LOOK = "GET permissions";
const early = { phase: "too early to take back", weather: tooEarly };
const plain = { profile: "plain" };

export const STEPS = lifeWith({
  giving: [
    { what: "the granter", call: BE_GRANTER },
    { what: "the role's definition", call: "GET roleDefinitions" },
    { what: "the lease's application", call: BE_LEASE },
    { what: "a look at what is there already", call: LOOK },
    { what: "the first assignment", call: `${REQUEST}:AdminAssign` },
    { what: "the second assignment", call: `${REQUEST}:AdminAssign`, nth: 2 },
    { what: "a look whether it works", call: LOOK, nth: 2 },
    { what: "the last look whether it works", call: LOOK, nth: 4 },
  ],
  issuing: [{ what: "the lease's own token", call: BE_LEASE, nth: 2 }],
  ending: [
    { what: "the baseline", call: LOOK },
    { what: "the granter", call: BE_GRANTER },
    { what: "what was given, looked up", call: "GET roleAssignmentScheduleRequests" },
    { what: "the first removal", call: `${REQUEST}:AdminRemove` },
    { what: "the second removal", call: `${REQUEST}:AdminRemove`, nth: 2 },
    { what: "the first look", call: LOOK, nth: 2 },
    { what: "the last look", call: LOOK, nth: 4 },
  ],
  more: [
    { name: "the command tells of itself", ...early, arm: onChild() },
    { name: "the command is gone", ...early, exits: true, arm: onChildGone() },
    { name: "the command tells of itself", ...early, kill: "both", arm: onChild() },
    {
      name: "the command is gone",
      ...early,
      exits: true,
      kill: "waiting",
      beside: ["lease", "sweep"],
      arm: onChildGone(),
    },
    {
      name: "the command is gone",
      ...early,
      exits: true,
      kill: "waiting",
      beside: ["run", "-p", "bare", "--", "true"],
      arm: onChildGone(),
    },
    ...callSteps("ending", { what: "the removal, too early", call: `${REQUEST}:AdminRemove`, ...early }),
    ...callSteps("giving rights", { what: "a plain assignment", call: `PUT ${PLAIN}`, ...plain }),
    ...callSteps("ending", { what: "a plain assignment's deletion", call: `DELETE ${PLAIN}`, ...plain }),
  ],
});

/** Where whoever ends the lease of a killed agentctl is killed as well. */
export const FINISHING = [
  onFile("leases", /\.lock$/),
  hold(BE_GRANTER, "before"),
  hold("GET roleAssignmentScheduleRequests", "after"),
  hold(`${REQUEST}:AdminRemove`, "before"),
  hold(`${REQUEST}:AdminRemove`, "after"),
  onRecord(1),
  onFileGone("leases", /\.json$/),
];

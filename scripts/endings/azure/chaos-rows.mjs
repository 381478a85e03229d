// What Azure is like while a lease is taken back, for `npm run endings -- chaos`, and what has to come of it; the words are
// as in ../aws/chaos-rows.mjs. Blob Storage itself is left in peace, as it is asked what the token can do.
import { leaseEntries } from "../state.mjs";
import { until } from "../wait.mjs";
import { faultRows } from "../weather.mjs";
import { tooEarly } from "./weather.mjs";

const REVOKED = { words: ["revoked"], required: 0 };
const REMOVED = { words: ["removed"], required: 0 };
const FAILED = { words: ["failed"], required: 79, isHeld: true };
const LONGEST_MS = 60_000;
const { lag, fault, awayFor, away } = faultRows(["entra", "arm"]);
const service = "arm";
const operation = "RoleAssignmentScheduleRequests_Create";

export const ROWS = [
  { name: "Azure as it is", want: REVOKED },
  lag("takes 2 s to know of a change", { resource: "azure", ms: 2_000 }, REVOKED, true),
  lag("takes 10 s to know of a change", { resource: "azure", ms: 10_000 }, REVOKED),
  lag("takes 60 s to know of a change", { resource: "azure", ms: 60_000 }, REMOVED),
  lag(
    "takes 10 s longer in Blob Storage than in Resource Manager",
    { resource: "azure", ms: 10_000, service: "blob" },
    { ...REVOKED, seenBy: /^Azure Resource Manager/ },
  ),
  {
    name: "takes nothing back within 5 minutes",
    strike: tooEarly.come,
    heal: ({ lab }) => until(() => leaseEntries(lab.state).length === 0, LONGEST_MS),
    after: tooEarly.go,
    endedBy: "its watchdog does",
    want: { words: ["expires"], isHeld: true, ifRequired: { words: ["revoked", "removed"], code: 0, isHeld: false } },
    isShort: true,
  },
  fault("takes 2 s for each answer", { kind: "latency", latencyMs: 2_000 }, REVOKED),
  fault("throttles 3 calls, Retry-After 1 s", { kind: "throttle", retryAfterSeconds: 1, times: 3 }, REVOKED),
  fault("throttles for good", { kind: "throttle", retryAfterSeconds: 1 }, FAILED),
  fault("refuses the granter's removal", { service, operation, kind: "deny" }, FAILED, { isShort: true }),
  fault("refuses to let the granter in", { service: "entra", operation: "token", kind: "deny" }, FAILED),
  fault("refuses the looks", { service, operation: "Permissions_ListForScope", kind: "deny" }, REMOVED),
  fault("fails (500) twice", { kind: "error", times: 2 }, REVOKED),
  fault("fails (500) for good", { kind: "error" }, FAILED),
  fault("cuts 2 connections", { kind: "cut", times: 2 }, REVOKED),
  fault("cuts every connection", { kind: "cut" }, FAILED),
  fault("answers garbage for good", { kind: "garbage" }, FAILED),
  awayFor("is away, and back after 5 s", 5_000, REVOKED),
  away("is away for good", FAILED),
  {
    name: "has no licence for assignments that end by themselves",
    want: REVOKED,
    profiles: ["plain", "plain-required"],
  },
];

import { describe, expect, it } from "vitest";
import { parseEntry } from "../../src/lease/parse-entry.js";

const OWNER = { pid: 7, startedAt: "99", bootId: "b", machineId: "m", pidNamespace: "pid:[1]" };
const ENDING = {
  cloud: "aws",
  word: "revoked",
  at: "2026-01-31T09:10:00Z",
  until: "2026-01-31T09:30:00Z",
  detail: "d",
  steps: [{ at: "2026-01-31T09:09:58.123Z", text: "wrote a deny" }],
  reason: "r",
  shortfall: "s",
  isUnfinished: true,
  retryAt: "2026-01-31T09:15:00Z",
};
const GRANT = {
  cloud: "aws",
  channel: "endpoint",
  principal: "arn:r",
  rights: ["Reader on /subscriptions/s"],
  undo: { role: "r", count: 2, isFenced: true, names: ["a", "b"] },
  issuedAt: 1,
  usableUntil: 2,
  expiresAt: 3,
  renewed: 4,
  ending: ENDING,
};
const ENTRY = {
  version: 2,
  id: "l-1",
  profile: "deploy",
  state: "ended",
  owner: OWNER,
  openedAt: 1,
  deadlineAt: 2,
  actor: "agent",
  identity: { source: "env", issuer: "i", subject: "s" },
  command: "true",
  child: { pid: 8, startedAt: "100", leadsGroup: false },
  graceSeconds: 30,
  privateDir: "/p",
  receipt: { file: "/r", temporary: "/t" },
  grants: [GRANT],
};

const parse = (value: unknown) => parseEntry(JSON.stringify(value));
const NOT_ONE = { problem: "it is not a ledger entry" };
const ANOTHER = { problem: "it is of another version of agentctl" };

describe("parseEntry", () => {
  it("reads every field, and drops what it does not know", () => {
    expect(parse(ENTRY)).toEqual(ENTRY);
    const grants = [{ ...GRANT, more: 1, ending: { ...ENDING, more: 1, steps: [{ ...ENDING.steps[0], more: 1 }] } }];
    expect(parse({ ...ENTRY, more: 1, grants, child: { ...ENTRY.child, more: 1 } })).toEqual(ENTRY);
  });

  it("does without what need not be there", () => {
    const { child, receipt, ...needed } = ENTRY;
    const { rights, issuedAt, usableUntil, expiresAt, renewed, ending, ...planned } = GRANT;
    const { until, reason, steps, shortfall, isUnfinished, retryAt, ...word } = ENDING;
    const least = { ...needed, grants: [planned, { ...planned, ending: word }] };
    expect(parse(least)).toEqual(least);
  });

  const missing: readonly (readonly [place: string, names: readonly string[], make: (part: object) => unknown])[] = [
    [
      "the entry",
      Object.keys(ENTRY).filter((name) => !["child", "receipt"].includes(name)),
      (part) => ({ ...ENTRY, ...part }),
    ],
    [
      "the identity",
      ["source", "issuer", "subject"],
      (part) => ({ ...ENTRY, identity: { ...ENTRY.identity, ...part } }),
    ],
    ["the owner", Object.keys(OWNER), (part) => ({ ...ENTRY, owner: { ...OWNER, ...part } })],
    ["the child", ["pid", "startedAt", "leadsGroup"], (part) => ({ ...ENTRY, child: { ...ENTRY.child, ...part } })],
    ["the receipt", ["file", "temporary"], (part) => ({ ...ENTRY, receipt: { ...ENTRY.receipt, ...part } })],
    ["a grant", ["cloud", "channel", "principal", "undo"], (part) => ({ ...ENTRY, grants: [{ ...GRANT, ...part }] })],
    ["an ending", ["cloud", "word", "at", "detail"], (part) => withEnding(part)],
    ["a step", ["at", "text"], (part) => withEnding({ steps: [{ ...ENDING.steps[0], ...part }] })],
  ];
  const withEnding = (part: object) => ({ ...ENTRY, grants: [{ ...GRANT, ending: { ...ENDING, ...part } }] });
  const cases = missing.flatMap(([place, names, make]) => names.map((name) => ({ place, name, make })));
  it.each(cases)("is no entry without $name of $place, nor with an object there", ({ name, make }) => {
    expect(parse(make({ [name]: undefined }))).toEqual(NOT_ONE);
    expect(parse(make({ [name]: name === "undo" ? "text" : {} }))).toEqual(NOT_ONE);
  });

  const bad: readonly { name: string; value: unknown; want?: unknown }[] = [
    { name: "null", value: null },
    { name: "a list", value: [] },
    { name: "an empty object", value: {} },
    { name: "the version before", value: { version: 1, id: "l-1" }, want: ANOTHER },
    { name: "a version to come", value: { ...ENTRY, version: 3 }, want: ANOTHER },
    { name: "a version that is no number", value: { ...ENTRY, version: "2" } },
    { name: "a state to come", value: { ...ENTRY, state: "paused" } },
    { name: "a kind of actor to come", value: { ...ENTRY, actor: "ghost" } },
    { name: "a time that no date holds", value: { ...ENTRY, deadlineAt: 9e15 } },
    { name: "a time that is text", value: { ...ENTRY, openedAt: "1" } },
    { name: "a grace below zero", value: { ...ENTRY, graceSeconds: -1 } },
    { name: "process 0", value: { ...ENTRY, child: { ...ENTRY.child, pid: 0 } } },
    { name: "a cloud to come", value: { ...ENTRY, grants: [{ ...GRANT, cloud: "oci" }] } },
    { name: "a grant that is text", value: { ...ENTRY, grants: ["aws"] } },
    { name: "a fact that is an object", value: { ...ENTRY, grants: [{ ...GRANT, undo: { role: {} } }] } },
    { name: "a fact that is null", value: { ...ENTRY, grants: [{ ...GRANT, undo: { role: null } }] } },
    { name: "a list of numbers for a fact", value: { ...ENTRY, grants: [{ ...GRANT, undo: { role: [1] } }] } },
    { name: "facts in a list", value: { ...ENTRY, grants: [{ ...GRANT, undo: [] }] } },
    { name: "rights that are no list", value: { ...ENTRY, grants: [{ ...GRANT, rights: "Reader" }] } },
    { name: "a right that is no text", value: { ...ENTRY, grants: [{ ...GRANT, rights: [{}] }] } },
    { name: "a time of issue that is null", value: { ...ENTRY, grants: [{ ...GRANT, issuedAt: null }] } },
    { name: "an ending's word to come", value: withEnding({ word: "forgotten" }) },
    { name: "an ending's time that is none", value: withEnding({ at: "soon" }) },
    { name: "an end of an ending that is none", value: withEnding({ until: 1 }) },
    { name: "steps that are no list", value: withEnding({ steps: {} }) },
    { name: "a mark that is no truth value", value: withEnding({ isUnfinished: "yes" }) },
    { name: "a time of the next try that is none", value: withEnding({ retryAt: "later" }) },
    { name: "a time of the next try in milliseconds", value: withEnding({ retryAt: 1 }) },
  ];
  it.each(bad)("is no entry: $name", ({ value, want = NOT_ONE }) => expect(parse(value)).toEqual(want));

  it("is no entry when it is cut at any byte", () => {
    const text = `${JSON.stringify(ENTRY, null, 2)}\n`;
    for (let length = 0; length < text.length - 1; length += 1)
      expect(parseEntry(text.slice(0, length))).toEqual(NOT_ONE);
  });
});

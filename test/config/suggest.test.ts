import { describe, expect, it } from "vitest";
import { suggest } from "../../src/config/suggest.js";

describe("suggest", () => {
  it.each([
    ["role_arm", ["region", "role_arn"], "role_arn"],
    ["sessionPolicy", ["session_policy", "policy_arns"], "session_policy"],
    ["agnet", ["human", "automation", "agent"], "agent"],
    ["DEPLOY", ["deploy"], "deploy"],
    ["tll", ["ttl"], "ttl"],
    ["q", ["p"], undefined],
    ["kubernetes", ["aws", "env"], undefined],
    ["anything", [], undefined],
  ])("%s among %j → %s", (word, known, want) => {
    expect(suggest(word, known)).toBe(want);
  });
});

import { describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import { endContext } from "../end-order.js";
import { failureOf, idToken } from "../exchange/identity.js";
import { gcpSettings } from "./fake-google.js";
import { denied, sleepingRuntime } from "./fake-rights.js";
import {
  BUCKET,
  bindingSettings,
  ENTITLEMENT,
  FOREIGN,
  GRANTER,
  HOLDERS,
  OTHERS,
  PROJECT,
  startWithPolicies,
} from "./scene.js";

describe("the sweep", () => {
  it("takes off what has ended, on every resource of the profile, and tells what stays", async () => {
    const google = await startWithPolicies();
    const over = {
      ...OTHERS,
      condition: { title: "agentctl-l-000000000000over-1500000000", expression: expressionOf(1_500_000_000) },
    };
    google.write("b/site", (all) => [over, ...all]);
    const swept = await gcpCloud.sweep?.(
      bindingSettings(),
      endContext({ mintToken: async ([audience = ""]) => idToken(audience) }),
      sleepingRuntime(google.env),
    );
    const kept = { name: OTHERS.condition?.title, until: "2096-10-02T07:06:40Z" };
    expect(swept).toEqual({
      cloud: "gcp",
      where: `${PROJECT}, ${BUCKET}`,
      removed: ["agentctl-l-000000000000over-1500000000"],
      kept: [kept, kept],
      failures: [],
    });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.written).toHaveLength(1);
  });

  it("goes on after a resource whose policy cannot be read or written, which is told by its name", async () => {
    const google = await startWithPolicies();
    const over = {
      ...OTHERS,
      condition: { title: "agentctl-l-000000000000over-1500000000", expression: expressionOf(1_500_000_000) },
    };
    for (const holder of HOLDERS) google.write(holder, (all) => [over, ...all]);
    google.beforeSet = (holder) => (holder === HOLDERS[0] ? denied() : undefined);
    const swept = await gcpCloud.sweep?.(
      bindingSettings(),
      endContext({ mintToken: async ([audience = ""]) => idToken(audience) }),
      sleepingRuntime(google.env),
    );
    expect(swept).toMatchObject({
      removed: ["agentctl-l-000000000000over-1500000000"],
      failures: [{ part: PROJECT, error: { code: "CLOUD_DENIED" } }],
    });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.bindings("projects/my-project")).toContainEqual(over);
  });

  it("fails as a whole where the granter is not let in", async () => {
    const google = await startWithPolicies();
    google.refuseToBe = GRANTER;
    const context = endContext({ mintToken: async ([audience = ""]) => idToken(audience) });
    const sweep = gcpCloud.sweep?.(bindingSettings(), context, sleepingRuntime(google.env));
    expect(await failureOf(Promise.resolve(sweep))).toMatchObject({ code: "CLOUD_DENIED" });
  });

  it("of a profile that gives no bindings asks nobody", async () => {
    const sweep = gcpCloud.sweep?.(gcpSettings({ entitlement: ENTITLEMENT }), endContext(), sleepingRuntime({}));
    expect(await sweep).toBeUndefined();
  });
});

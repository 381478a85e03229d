import { expect, it, vi } from "vitest";
import { sweepClouds } from "../../src/clouds/end-grants.js";
import { AgentctlError } from "../../src/core/errors.js";
import type { CloudName, Profile } from "../../src/core/profile.js";
import { fakeRuntime } from "../fake-runtime.js";

const sweeps = vi.hoisted(() => ({}) as Record<string, () => Promise<unknown>>);
vi.mock("../../src/clouds/loaders.js", () => ({
  namesOf: () => Object.keys(sweeps),
  settingsOf: () => ({}),
  loadCloud: async (name: CloudName) => ({ sweep: sweeps[name] }),
}));

it("a cloud that cannot be swept keeps no other from it, and what failed is told with its cloud", async () => {
  const denied = new AgentctlError("CLOUD_DENIED", "the revoker is refused");
  const away = new AgentctlError("UNREACHABLE", "it is away");
  const swept = { where: "w", removed: ["d"], kept: [] };
  sweeps["aws"] = () => Promise.reject(denied);
  sweeps["azure"] = async () => undefined;
  sweeps["gcp"] = async () => ({ cloud: "gcp", ...swept, failures: [{ part: "a bucket", error: away }] });
  const { signal } = new AbortController();
  expect(await sweepClouds({} as Profile, () => vi.fn(), signal, fakeRuntime())).toEqual({
    sweeps: [{ cloud: "gcp", ...swept }],
    failures: [
      { cloud: "aws", error: denied },
      { cloud: "gcp", part: "a bucket", error: away },
    ],
  });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import { sweepProfiles } from "../src/cloud-sweep-session.js";
import { AgentctlError } from "../src/core/errors.js";
import { fakeRuntime } from "./fake-runtime.js";

const config = vi.hoisted(() => ({ listProfiles: vi.fn(), loadProfile: vi.fn() }));
const clouds = vi.hoisted(() => ({ sweepClouds: vi.fn() }));
vi.mock("../src/config/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...config }));
vi.mock("../src/clouds/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...clouds }));

const BROKEN = new AgentctlError("CONFIG_INVALID", "its policy is not there", { hint: "write it" });
const SWEEP = { cloud: "gcp", where: "w", removed: [], kept: [] };
const on = { aborted: new AbortController(), free: new AbortController().signal };
on.aborted.abort();

beforeEach(() => {
  config.listProfiles.mockReset().mockReturnValue([{ name: "one" }, { name: "two" }, { name: "three" }]);
  config.loadProfile
    .mockReset()
    .mockImplementation(({ profileName }) => ({ name: profileName, identitySource: "env" }));
  clouds.sweepClouds.mockReset().mockResolvedValue({ sweeps: [SWEEP], failures: [] });
});

describe("a sweep of the clouds of several profiles", () => {
  it("goes on after one that cannot be read, which is told by name", async () => {
    config.loadProfile.mockImplementation(({ profileName }) => {
      if (profileName === "two") throw BROKEN;
      return { name: profileName };
    });
    expect(await sweepProfiles({}, on.free, fakeRuntime())).toEqual({
      clouds: [
        { ...SWEEP, profile: "one" },
        { ...SWEEP, profile: "three" },
      ],
      failures: [{ profile: "two", code: "CONFIG_INVALID", message: "its policy is not there", hint: "write it" }],
    });
  });

  it("tells what failed of a profile with the cloud and the part", async () => {
    const error = new AgentctlError("CLOUD_DENIED", "refused");
    clouds.sweepClouds.mockResolvedValueOnce({ sweeps: [], failures: [{ cloud: "azure", part: "p", error }] });
    const { failures } = await sweepProfiles({ profileName: "one" }, on.free, fakeRuntime());
    expect(failures).toEqual([{ profile: "one", cloud: "azure", part: "p", code: "CLOUD_DENIED", message: "refused" }]);
    expect(config.listProfiles).not.toHaveBeenCalled();
  });

  it("tells that no profile can be read", async () => {
    config.listProfiles.mockImplementation(() => {
      throw BROKEN;
    });
    const { clouds: swept, failures } = await sweepProfiles({}, on.free, fakeRuntime());
    expect([swept, failures]).toEqual([[], [expect.objectContaining({ code: "CONFIG_INVALID" })]]);
  });

  it("that is given up asks no further cloud, and says of which profiles", async () => {
    const { failures } = await sweepProfiles({}, on.aborted.signal, fakeRuntime());
    expect(failures.map(({ profile, code }) => [profile, code])).toEqual([
      ["one", "INTERRUPTED"],
      ["two", "INTERRUPTED"],
      ["three", "INTERRUPTED"],
    ]);
    expect(clouds.sweepClouds).not.toHaveBeenCalled();
  });
});

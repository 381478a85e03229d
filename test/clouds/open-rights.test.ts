import { describe, expect, it } from "vitest";
import type { Cloud } from "../../src/clouds/cloud.js";
import { openRightsBy } from "../../src/clouds/open-rights.js";
import { AgentctlError } from "../../src/core/errors.js";
import type { EndStep, RightsContext } from "../../src/core/lease.js";
import type { AzureSettings, CloudName, GcpSettings, Profile } from "../../src/core/profile.js";
import { fakeRuntime } from "../fake-runtime.js";
import { leaseTerms } from "./aws/settings.js";
import { failureOf } from "./exchange/identity.js";

type Open = (context: RightsContext) => Promise<AzureSettings | GcpSettings>;

const azure = { clientId: "one", audiences: ["a"] } as unknown as AzureSettings;
const gcp = { audiences: ["g"], scopes: [] } as unknown as GcpSettings;
const profile = { name: "p", ttlSeconds: 900, revoke: "auto", clouds: { azure, gcp } } as unknown as Profile;
const plans = [
  { cloud: "azure", channel: "endpoint" },
  { cloud: "gcp", channel: "endpoint" },
] as const;

function openBy(opens: Partial<Record<CloudName, Open>>, signal = new AbortController().signal) {
  const asked: CloudName[] = [];
  const done: [CloudName, EndStep][] = [];
  const load = async (name: CloudName) => {
    const open = opens[name];
    const rights = open !== undefined && {
      hasRights: () => true,
      openRights: (_settings: never, _terms: never, context: RightsContext) => open(context),
    };
    return { name, ...rights } as unknown as Cloud<never>;
  };
  const context = {
    mintToken: () => Promise.reject(new Error("not asked for")),
    signal,
    onProgress: () => {},
    onNotice: () => {},
  };
  const opened = openRightsBy(load, profile, plans, leaseTerms(), context, fakeRuntime({}), {
    onAsking: (cloud) => void asked.push(cloud),
    onStep: (cloud, step) => void done.push([cloud, step]),
  });
  return { opened, asked, done };
}

const step = { at: "2026-11-22T12:00:00.000Z", text: "gave it" };
const gives: Open = async ({ onAsking, onStep }) => {
  onAsking();
  onStep(step);
  return { ...azure, clientId: "two" };
};
const fails =
  (code: "NOT_READY" | "CLOUD_DENIED" | "INTERRUPTED"): Open =>
  () =>
    Promise.reject(new AgentctlError(code, `no ${code}`));
/** Waits until it is stopped, and fails with what it was stopped by. */
const waits: Open = ({ signal }) =>
  new Promise((_resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });

describe("the rights of several clouds", () => {
  it("are given where the profile has some, and the settings chosen are those to issue with", async () => {
    const { opened, asked, done } = openBy({ azure: gives });
    expect(await opened).toMatchObject({
      profile: { name: "p", clouds: { azure: { clientId: "two" }, gcp } },
      clouds: ["azure"],
    });
    expect(asked).toEqual(["azure"]);
    expect(done).toEqual([["azure", step]]);
  });

  it("are told as they are given, whatever another cloud says", async () => {
    const { opened, done } = openBy({ azure: gives, gcp: fails("NOT_READY") });
    expect(await failureOf(opened)).toMatchObject({ code: "NOT_READY" });
    expect(done).toEqual([["azure", step]]);
  });

  it.each([
    { name: "one fails", opens: { azure: waits, gcp: fails("NOT_READY") }, want: "Google Cloud: no NOT_READY" },
    { name: "the other fails", opens: { azure: fails("NOT_READY"), gcp: waits }, want: "Azure: no NOT_READY" },
    {
      name: "both fail, for one that says most",
      opens: { azure: fails("NOT_READY"), gcp: fails("CLOUD_DENIED") },
      want: "Google Cloud: no CLOUD_DENIED",
    },
  ])("are waited for and stopped when $name, with the cloud named", async ({ opens, want }) => {
    expect((await failureOf(openBy(opens).opened)).message).toBe(want);
  });

  it("are not waited for any longer when the user interrupts", async () => {
    const stop = new AbortController();
    const { opened } = openBy({ azure: waits, gcp: waits }, stop.signal);
    stop.abort(new AgentctlError("INTERRUPTED", "enough"));
    expect(await failureOf(opened)).toMatchObject({ code: "INTERRUPTED", message: "enough" });
  });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import { registerLease } from "../../src/cli/lease.js";
import { renderSweep } from "../../src/cli/sweep-lines.js";
import type { Ending } from "../../src/core/lease.js";
import type { SweepFailure, SweepOutcome, SweepReport, SweptLease } from "../../src/core/sweep-report.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

const sessions = vi.hoisted(() => ({ sweepSession: vi.fn(), revokeSession: vi.fn() }));
vi.mock("../../src/sweep-session.js", () => sessions);
vi.mock("../../src/revoke-session.js", () => sessions);

const NOW = Date.parse("2026-01-31T12:00:00Z");
const NOTHING: SweepReport = { leases: [], files: [], clouds: [], failures: [] };
const ENDING: Ending = { cloud: "aws", word: "removed", at: "2026-01-31T11:59:00Z", detail: "a long story" };
const QUEUED: Ending = {
  cloud: "azure",
  word: "expires",
  at: "2026-01-31T12:30:00Z",
  detail: "d",
  isUnfinished: true,
  retryAt: "2026-01-31T12:04:50Z",
};

beforeEach(() => {
  sessions.sweepSession.mockReset().mockResolvedValue(NOTHING);
  sessions.revokeSession.mockReset().mockResolvedValue(NOTHING);
});

/** A command that fails answers what it printed as well. */
async function run(...argv: string[]) {
  const runtime = fakeRuntime({ now: () => NOW });
  const error = await runCommand(registerLease, ["lease", ...argv], runtime).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { stdout: runtime.stdout.text(), stderr: runtime.stderr.text(), error };
}

const leaseOf = (outcome: SweepOutcome, rest: Partial<SweptLease> = {}): SweptLease => ({
  id: "l-A",
  profile: "deploy",
  outcome,
  endings: [],
  ...rest,
});
const reportOf = (...leases: readonly SweptLease[]): SweepReport => ({ ...NOTHING, leases });

describe("the lines of a sweep", () => {
  const cases: readonly { name: string; lease: SweptLease; want: string }[] = [
    {
      name: "each ending",
      lease: leaseOf("ended", {
        endings: [ENDING, { ...ENDING, cloud: "gcp", word: "expires", at: "2026-01-31T12:30:00Z" }],
      }),
      want: "on deploy: aws: removed, not usable since 2026-01-31T11:59:00Z; gcp: expires at 2026-01-31T12:30:00Z",
    },
    {
      name: "that there was nothing",
      lease: leaseOf("ended"),
      want: "on deploy: ended, and nothing was left to take back",
    },
    {
      name: "processes that were left",
      lease: leaseOf("ended", { endings: [ENDING], strays: { found: 1, killed: 0, left: 0 } }),
      want: "on deploy: aws: removed, not usable since 2026-01-31T11:59:00Z; 1 process of its command was ended",
    },
    {
      name: "processes that had to be killed",
      lease: leaseOf("ended", { strays: { found: 4, killed: 2, left: 1 } }),
      want: "on deploy: 3 processes of its command were ended, 2 by SIGKILL",
    },
    {
      name: "no processes that were not there",
      lease: leaseOf("ended", { strays: { found: 0, killed: 0, left: 0 } }),
      want: "on deploy: ended, and nothing was left to take back",
    },
    {
      name: "what is not finished",
      lease: leaseOf("unfinished", {
        endings: [{ ...ENDING, word: "failed", at: "2026-01-31T12:30:00Z" }],
        problem: "AWS was away",
      }),
      want: "on deploy: not finished; aws: failed, usable until 2026-01-31T12:30:00Z (a long story); AWS was away",
    },
    {
      name: "who takes back what a cloud takes back only later, and when it ends by itself",
      lease: leaseOf("queued", { endings: [ENDING, QUEUED], waiter: { is: "watchdog", pid: 7 } }),
      want: "on deploy: nothing to do: its watchdog (process 7) takes azure back at 2026-01-31T12:04:50Z; by itself azure ends at 2026-01-31T12:30:00Z; aws: removed, not usable since 2026-01-31T11:59:00Z",
    },
    {
      name: "that its agentctl does",
      lease: leaseOf("queued", { endings: [{ ...QUEUED, word: "failed" }], waiter: { is: "agentctl", pid: 7 } }),
      want: "on deploy: nothing to do: its agentctl (process 7) takes azure back at 2026-01-31T12:04:50Z",
    },
    {
      name: "that its watchdog does, after its command",
      lease: leaseOf("queued", { endings: [{ ...QUEUED, word: "failed" }], waiter: { is: "command", pid: 7 } }),
      want: "on deploy: nothing to do: its watchdog takes azure back at 2026-01-31T12:04:50Z, but not before its agentctl (process 7) has ended",
    },
    {
      name: "what nobody waits for, and who could",
      lease: leaseOf("queued", { endings: [QUEUED] }),
      want: "on deploy: azure can be taken back from 2026-01-31T12:04:50Z on, and nobody waits for that: agentctl lease sweep l-A does it then; by itself azure ends at 2026-01-31T12:30:00Z",
    },
    { name: "who is at it", lease: leaseOf("busy"), want: "on deploy: another agentctl is ending it" },
    { name: "who is alive", lease: leaseOf("running"), want: "on deploy: its agentctl is running" },
    { name: "that it was over", lease: leaseOf("gone"), want: "on deploy: it has ended by itself" },
    {
      name: "what is not known",
      lease: leaseOf("unknown"),
      want: "on deploy: whether its agentctl still runs cannot be told from here: another container, or another machine",
    },
    {
      name: "what can't be read, and lets nothing out of its line",
      lease: { id: "l-A", outcome: "unreadable", endings: [], problem: "bad\nnews" },
      want: ": its entry in the ledger cannot be read; bad\\u000anews",
    },
  ];
  it.each(cases)("tell $name", ({ lease, want }) => {
    const gap = want.startsWith(":") ? "" : " ";
    expect(renderSweep(reportOf(lease), NOW)).toBe(`agentctl: lease l-A${gap}${want}\n`);
  });

  it("tell what was found in the clouds, and which files went", () => {
    const place = { cloud: "aws", profile: "deploy", where: "role r" } as const;
    const until = "2026-01-31T12:30:00Z";
    const many = ["d1", "d2", "d3", "d4"];
    const clouds = [
      { ...place, removed: ["d1", "d2"], kept: [{ name: "d3", until }] },
      { ...place, removed: many, kept: many.map((name) => ({ name, until })) },
      { ...place, removed: [], kept: [] },
    ];
    expect(
      renderSweep({ leases: [], files: ["run/l-A", "leases/l-A.lock"], clouds, failures: [] }, NOW).split("\n"),
    ).toEqual([
      "agentctl: aws: role r (deploy): removed d1, d2; kept d3 (its session is fenced at 2026-01-31T12:30:00Z), each to be cleared five minutes after its fence",
      "agentctl: aws: role r (deploy): removed 4 denies; kept 4 denies, each to be cleared five minutes after its fence",
      "agentctl: aws: role r (deploy): nothing of a lease was found",
      "agentctl: removed what killed processes had left: run/l-A, leases/l-A.lock",
      "",
    ]);
  });
});

it.each([
  {
    cloud: "aws",
    kept: "(its session is fenced at",
    why: "each to be cleared five minutes after its fence",
    many: "denies",
  },
  { cloud: "azure", kept: "(its lease ends by", why: "each of a lease that may still be open", many: "assignments" },
  { cloud: "gcp", kept: "(it ends at", why: "each of a lease that may still be open", many: "rights" },
] as const)("what leases left in $cloud is told in its own words", ({ cloud, kept, why, many }) => {
  const until = "2026-01-31T12:30:00Z";
  const place = { cloud, profile: "deploy", where: "w" } as const;
  const four = ["n1", "n2", "n3", "n4"];
  const clouds = [
    { ...place, removed: [], kept: [{ name: "n", until }] },
    { ...place, removed: four, kept: four.map((name) => ({ name, until })) },
  ];
  expect(renderSweep({ leases: [], files: [], clouds, failures: [] }, NOW).split("\n")).toEqual([
    `agentctl: ${cloud}: w (deploy): kept n ${kept} ${until}), ${why}`,
    `agentctl: ${cloud}: w (deploy): removed 4 ${many}; kept 4 ${many}, ${why}`,
    "",
  ]);
});

it("what ends by itself is told so, and what has no end yet without one", () => {
  const kept = [{ name: "n", until: "2026-01-31T12:30:00Z", endsByItself: true }, { name: "m, which is waiting" }];
  const clouds = [{ cloud: "azure", profile: "deploy", where: "w", removed: [], kept }] as const;
  expect(renderSweep({ leases: [], files: [], clouds, failures: [] }, NOW)).toBe(
    "agentctl: azure: w (deploy): kept n (it ends at 2026-01-31T12:30:00Z), m, which is waiting, each of a lease that may still be open\n",
  );
});

describe("lease sweep", () => {
  const requests: readonly { argv: readonly string[]; want: object }[] = [
    { argv: [], want: { ids: [], cloud: false, asWatchdog: false } },
    { argv: ["l-A", "l-B"], want: { ids: ["l-A", "l-B"], cloud: false, asWatchdog: false } },
    { argv: ["--as-watchdog", "l-A"], want: { ids: ["l-A"], cloud: false, asWatchdog: true } },
    {
      argv: ["--as-watchdog", "--queued", "--identity", "env", "l-A"],
      want: { ids: ["l-A"], cloud: false, asWatchdog: true, isQueued: true, identitySource: "env" },
    },
    {
      argv: ["--cloud", "-p", "deploy", "--config", "a.yaml", "--identity", "env"],
      want: {
        ids: [],
        cloud: true,
        asWatchdog: false,
        profileName: "deploy",
        configPath: "a.yaml",
        identitySource: "env",
      },
    },
  ];
  it.each(requests)("asks for what $argv says", async ({ argv, want }) => {
    expect((await run("sweep", ...argv)).error).toBeUndefined();
    expect(sessions.sweepSession.mock.calls[0]?.[0]).toEqual(want);
  });

  it.each([
    { name: "there is nothing to do", argv: [], want: "agentctl: no lease needs sweeping\n" },
    { name: "nothing, quietly", argv: ["--quiet"], want: "" },
    { name: "nothing to a watchdog's reader", argv: ["--as-watchdog", "l-A"], want: "" },
    {
      name: "there was no cloud",
      argv: ["--cloud"],
      want: "agentctl: no lease needs sweeping, and there was no cloud to look in\n",
    },
  ])("says that $name", async ({ argv, want }) => {
    expect(await run("sweep", ...argv)).toEqual({ stdout: "", stderr: want, error: undefined });
  });

  const outcomes: readonly { outcome: SweepOutcome; sweep: boolean; revoke: boolean }[] = [
    { outcome: "ended", sweep: true, revoke: true },
    { outcome: "gone", sweep: true, revoke: true },
    { outcome: "running", sweep: true, revoke: false },
    { outcome: "unknown", sweep: true, revoke: false },
    { outcome: "queued", sweep: true, revoke: false },
    { outcome: "busy", sweep: false, revoke: false },
    { outcome: "unreadable", sweep: false, revoke: false },
    { outcome: "unfinished", sweep: false, revoke: false },
  ];
  it.each(outcomes)("succeeds or not after $outcome, and tells either way", async ({ outcome, sweep, revoke }) => {
    for (const [command, isFine] of [
      ["sweep", sweep],
      ["revoke", revoke],
    ] as const) {
      sessions[`${command}Session`].mockResolvedValue(reportOf(leaseOf("ended"), leaseOf(outcome, { id: "l-B" })));
      const { stderr, error } = await run(command, "l-A", "l-B");
      expect(stderr).toMatch(/^agentctl: lease l-A .*\nagentctl: lease l-B .*\n$/);
      if (isFine) expect(error).toBeUndefined();
      else expect(error).toMatchObject({ code: "NOT_TAKEN_BACK", exitCode: 79, facts: { leases: ["l-B"] } });
    }
  });

  it("prints the report as JSON, also when it fails", async () => {
    const report = reportOf(leaseOf("unfinished", { endings: [ENDING] }));
    sessions.sweepSession.mockResolvedValue(report);
    const { stdout, stderr, error } = await run("sweep", "--json");
    expect([JSON.parse(stdout), stderr]).toEqual([report, ""]);
    expect(error).toMatchObject({ code: "NOT_TAKEN_BACK" });
  });

  it("is silent with --quiet, but for what was not ended", async () => {
    sessions.sweepSession.mockResolvedValue(reportOf(leaseOf("unfinished")));
    expect(await run("sweep", "--quiet")).toMatchObject({ stdout: "", stderr: "", error: { code: "NOT_TAKEN_BACK" } });
  });

  describe("of clouds of which not all could be swept", () => {
    const ONE: SweepFailure = {
      profile: "deploy",
      cloud: "azure",
      part: "application a",
      code: "CLOUD_DENIED",
      message: "refused",
      hint: "h",
    };
    const failing = (failures: readonly SweepFailure[], leases: readonly SweptLease[] = []) =>
      sessions.sweepSession.mockResolvedValue({ ...NOTHING, leases, failures });

    it("fails as that failed, by name", async () => {
      failing([ONE]);
      const { stderr, error } = await run("sweep", "--cloud");
      expect(stderr).toBe("agentctl: no lease needs sweeping\n");
      expect(error).toMatchObject({
        code: "CLOUD_DENIED",
        exitCode: 77,
        message: "not swept: azure of deploy, application a: refused",
        hint: "h",
      });
    });

    it("tells each, also quietly, and those that failed alike once; the first decides how it exits", async () => {
      failing([
        ONE,
        { profile: "site", code: "CONFIG_INVALID", message: "no policy" },
        { ...ONE, profile: "site" },
        { profile: "site", cloud: "gcp", code: "UNREACHABLE", message: "away" },
        { code: "CONFIG_SYNTAX", message: "no YAML" },
      ]);
      const { stderr, error } = await run("sweep", "--cloud", "--quiet");
      expect(stderr.split("\n")).toEqual([
        "agentctl: error[CONFIG_INVALID]: not swept: profile site: no policy",
        "agentctl: error[UNREACHABLE]: not swept: gcp of site: away",
        "agentctl: error[CONFIG_SYNTAX]: not swept: the clouds of the profiles: no YAML",
        "",
      ]);
      const both = "azure of deploy, application a; azure of site, application a";
      expect(error).toMatchObject({ exitCode: 77, message: `not swept: ${both}: refused` });
    });

    it("exits with 79 where a lease is not ended either", async () => {
      failing([ONE], [leaseOf("unfinished")]);
      const { stderr, error } = await run("sweep", "--cloud", "--quiet");
      expect(stderr).toMatch(/^agentctl: error\[CLOUD_DENIED\]: not swept: .*\nagentctl: hint: h\n$/);
      expect(error).toMatchObject({ code: "NOT_TAKEN_BACK", exitCode: 79 });
    });

    it("never succeeds because it was interrupted", async () => {
      failing([{ profile: "deploy", code: "INTERRUPTED", message: "interrupted" }]);
      expect((await run("sweep", "--cloud")).error).toMatchObject({ code: "INTERRUPTED", exitCode: 79 });
    });

    it("does not say that nothing was left where not all was looked through", () => {
      const place = { cloud: "azure", profile: "deploy", where: "w", kept: [] } as const;
      const clouds = [
        { ...place, removed: [] },
        { ...place, removed: ["n"] },
        { ...place, profile: "site", removed: [] },
      ];
      expect(renderSweep({ leases: [], files: [], clouds, failures: [ONE] }, NOW).split("\n")).toEqual([
        "agentctl: azure: w (deploy): nothing of a lease was found; not all of it was swept",
        "agentctl: azure: w (deploy): removed n; not all of it was swept",
        "agentctl: azure: w (site): nothing of a lease was found",
        "",
      ]);
    });
  });

  it("takes no empty file name", async () => {
    expect((await run("sweep", "--config", "")).error).toMatchObject({ code: "commander.invalidArgument" });
  });
});

describe("lease revoke", () => {
  it("says of what is queued who takes it back, and leads nowhere else", async () => {
    const lease = leaseOf("queued", { endings: [QUEUED], waiter: { is: "watchdog", pid: 7 } });
    sessions.revokeSession.mockResolvedValue(reportOf(lease));
    expect((await run("revoke", "l-A")).error).toMatchObject({
      code: "NOT_TAKEN_BACK",
      exitCode: 79,
      message: "lease l-A is not ended yet: its cloud takes the rest back only later",
      hint: "nothing to do: its watchdog (process 7) takes l-A back at 2026-01-31T12:04:50Z; agentctl lease show ID tells when it has",
    });
    sessions.revokeSession.mockResolvedValue(reportOf(lease, leaseOf("unfinished")));
    expect((await run("revoke", "l-A")).error).toMatchObject({
      hint: expect.stringContaining("agentctl lease sweep tries again"),
    });
  });

  it.each([
    { argv: ["l-A"], want: { ids: ["l-A"], all: false } },
    { argv: ["--all"], want: { ids: [], all: true } },
    {
      argv: ["-p", "deploy", "--identity", "env"],
      want: { ids: [], all: false, profileName: "deploy", identitySource: "env" },
    },
  ])("asks for what $argv says", async ({ argv, want }) => {
    expect((await run("revoke", ...argv)).stderr).toBe("agentctl: no such leases are open\n");
    expect(sessions.revokeSession.mock.calls[0]?.[0]).toEqual(want);
  });

  it.each([
    { argv: [] },
    { argv: ["l-A", "--all"] },
    { argv: ["--all", "-p", "deploy"] },
    { argv: ["-p", "x", "l-A"] },
  ])("guesses nothing: $argv", async ({ argv }) => {
    const runtime = fakeRuntime();
    const error = await thrownBy(() => runCommand(registerLease, ["lease", "revoke", ...argv], runtime));
    expect(error.code).toBe("USAGE");
    expect(sessions.revokeSession).not.toHaveBeenCalled();
  });

  it("prints the report as JSON", async () => {
    const report = reportOf(leaseOf("ended", { endings: [ENDING] }));
    sessions.revokeSession.mockResolvedValue(report);
    expect(JSON.parse((await run("revoke", "--all", "--json")).stdout)).toEqual(report);
  });
});

import { describe, expect, it } from "vitest";
import type { Identity } from "../../src/core/identity.js";
import { renewalNotice } from "../../src/lease/index.js";
import { at, type Lasting, makeGrant } from "./keeping.js";

const DEADLINE = 60;

function noticeOf(grants: readonly Lasting[], mintable?: number): string | undefined {
  const identity: Pick<Identity, "source" | "mintableUntil"> = {
    source: "env",
    ...(mintable !== undefined && { mintableUntil: at(mintable) }),
  };
  return renewalNotice(grants.map(makeGrant), { deadlineAt: at(DEADLINE) }, identity);
}

describe("that a lease cannot be renewed to its end", () => {
  const rows: readonly { name: string; grants: readonly Lasting[]; mintable: number; want: string }[] = [
    {
      name: "is said with both times",
      grants: [{ until: 15 }],
      mintable: 5,
      want: "aws is usable until 2026-01-31T09:15:00Z and can be renewed only until the identity token ends at 2026-01-31T09:05:00Z: the source env gives no other",
    },
    {
      name: "is said of each grant that ends too early, in one line",
      grants: [
        { cloud: "aws", until: 15 },
        { cloud: "azure", until: DEADLINE },
        { cloud: "gcp", until: 30 },
      ],
      mintable: 59,
      want: "aws is usable until 2026-01-31T09:15:00Z, gcp is usable until 2026-01-31T09:30:00Z and can be renewed only until the identity token ends at 2026-01-31T09:59:00Z: the source env gives no other",
    },
  ];
  it.each(rows)("$name", ({ grants, mintable, want }) => {
    expect(noticeOf(grants, mintable)).toBe(want);
  });

  const silent: readonly { name: string; grants: readonly Lasting[]; mintable?: number }[] = [
    { name: "where there is always another token", grants: [{ until: 15 }] },
    { name: "where the token outlasts the lease", grants: [{ until: 15 }], mintable: DEADLINE },
    { name: "where the grant lasts as long as the lease", grants: [{ until: DEADLINE }], mintable: 5 },
    { name: "where it ends but the seconds of the exchange before", grants: [{ until: DEADLINE - 0.08 }], mintable: 5 },
    {
      name: "where the grant is in the environment, never renewed",
      grants: [{ until: 15, channel: "env" }],
      mintable: 5,
    },
    { name: "where there is none", grants: [], mintable: 5 },
  ];
  it.each(silent)("is not said $name", ({ grants, mintable }) => {
    expect(noticeOf(grants, mintable)).toBeUndefined();
  });
});

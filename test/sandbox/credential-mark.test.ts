import { describe, expect, it } from "vitest";
import { markCredential } from "../../src/sandbox/credential-mark.js";

const signedBy = (key: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=${key}/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${signature}`;
const mark = (authorization?: string): string | undefined =>
  markCredential({ headers: authorization === undefined ? {} : { authorization } });

describe("what the log knows a credential by", () => {
  it.for([
    {
      name: "an access key",
      one: signedBy("ASIAONE", "aa"),
      again: signedBy("ASIAONE", "bb"),
      other: signedBy("ASIATWO", "aa"),
    },
    { name: "a bearer token", one: "Bearer token-one", again: "bearer token-one", other: "Bearer token-two" },
  ])("tells $name from another, and shows neither", ({ one, again, other }) => {
    expect(mark(one)).toMatch(/^[0-9a-f]{16}$/);
    expect(mark(again)).toBe(mark(one));
    expect(mark(other)).not.toBe(mark(one));
  });

  it("has no mark for a request without one", () => {
    expect([mark(), mark("Basic abc")]).toEqual([undefined, undefined]);
  });
});

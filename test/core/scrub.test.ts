import { describe, expect, it } from "vitest";
import { printable, scrub } from "../../src/core/scrub.js";
import { Secret } from "../../src/core/secret.js";

/** Of no shape that is known as a token's. */
const KEY = "canary-0123456789-abcdefghijklmnopqrstuvwxyz";
const JWT = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.${"s".repeat(80)}`;

describe("a service's words", () => {
  const cases: readonly { name: string; text: string; want: string }[] = [
    { name: "without a secret", text: "the role is not there", want: "the role is not there" },
    { name: "with a secret, twice", text: `${KEY}, not ${KEY}.`, want: "[redacted], not [redacted]." },
    { name: "with its beginning", text: `bad ${KEY.slice(0, 20)}...`, want: "bad [redacted]..." },
    { name: "with its middle", text: `bad (${KEY.slice(10, 30)})`, want: "bad ([redacted])" },
    { name: "with its end", text: `bad ${KEY.slice(-16)}`, want: "bad [redacted]" },
    { name: "with too little to be of use", text: "canary-0123", want: "canary-0123" },
    { name: "with a short secret", text: "it was hush: hush!", want: "it was [redacted]: [redacted]!" },
    { name: "with another's token", text: `Value '${JWT}' at 1`, want: "Value '[redacted]' at 1" },
    { name: "with the beginning of one", text: `Value ${JWT.slice(0, 15)}…`, want: "Value [redacted]…" },
    { name: "with a token of Google's", text: "ya29.a0Af_b-c.d is over", want: "[redacted] is over" },
    { name: "of several lines", text: " no \r\nTrace ID: 1", want: "no" },
    { name: "with a terminal's escapes", text: "a\u001b[2J\u009b\u202eb", want: "a\\u001b[2J\\u009b\\u202eb" },
  ];
  it.each(cases)("are shown $name", ({ text, want }) => {
    expect(scrub(text, [new Secret(KEY), new Secret(""), new Secret("hush")])).toBe(want);
  });

  it("have no secret behind a line that is cut", () => {
    const cut = scrub(`${"x".repeat(290)}${KEY}`, [new Secret(KEY)]);
    expect(cut).toBe(`${"x".repeat(290)}[redacted]`);
  });

  it("are cut where they are long", () => {
    expect(scrub("y".repeat(1_000_000), [new Secret(KEY)])).toBe(`${"y".repeat(300)}…`);
  });
});

describe("text from elsewhere", () => {
  it("is one line that steers no terminal", () => {
    expect(printable("https://x\u001b[31m \r\nagentctl: ok")).toBe("https://x\\u001b[31m");
  });
});

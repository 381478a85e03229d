import { describe, expect, it } from "vitest";
import { joinNoProxy } from "../../src/deliver/no-proxy.js";

describe("joinNoProxy", () => {
  const cases: { name: string; input: Record<string, string>; want: string }[] = [
    { name: "neither is set", input: {}, want: "127.0.0.1,localhost" },
    { name: "the upper case is set", input: { NO_PROXY: "a.b, .c" }, want: "a.b,.c,127.0.0.1,localhost" },
    { name: "the lower case is set", input: { no_proxy: "a.b" }, want: "a.b,127.0.0.1,localhost" },
    { name: "they differ", input: { NO_PROXY: "a,b", no_proxy: "b,c" }, want: "a,b,c,127.0.0.1,localhost" },
    { name: "loopback is there", input: { NO_PROXY: "localhost,127.0.0.1" }, want: "localhost,127.0.0.1" },
    { name: "it is everything", input: { NO_PROXY: "*", no_proxy: "a" }, want: "*" },
    { name: "it is empty", input: { NO_PROXY: "", no_proxy: " , " }, want: "127.0.0.1,localhost" },
  ];
  it.each(cases)("gives both spellings one list where $name", ({ input, want }) => {
    expect(joinNoProxy(input)).toEqual({ NO_PROXY: want, no_proxy: want });
  });
});

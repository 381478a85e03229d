import { describe, expect, it } from "vitest";
import { IDENTITY_SOURCE_NAMES, requireKnownSource } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";

describe("the name of an identity source", () => {
  it.each(["auto", "login:work", ...IDENTITY_SOURCE_NAMES])("may be %s, whether or not it is there", (name) => {
    expect(() => requireKnownSource(name, fakeRuntime())).not.toThrow();
  });

  it.each(["foo", "", "github"])("is refused where it is %j", (name) => {
    expect(() => requireKnownSource(name, fakeRuntime())).toThrowError(expect.objectContaining({ code: "USAGE" }));
  });
});

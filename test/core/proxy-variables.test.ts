import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import { explainDirectness, setProxyVariables } from "../../src/core/proxy-variables.js";

const PROXY = "http://me:hunter2@proxy.invalid:3128";
const UNREACHABLE = new AgentctlError("UNREACHABLE", "nobody answers", { hint: "check", facts: { a: 1 }, cause: "c" });

describe("a proxy variable", () => {
  it.each(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])("%s is told where nobody answers", (name) => {
    const error = explainDirectness(UNREACHABLE, { [name]: PROXY });
    expect(error).toMatchObject({ code: "UNREACHABLE", message: "nobody answers", facts: { a: 1 }, cause: "c" });
    expect(error.hint).toMatch(new RegExp(`^check; ${name} is set, but agentctl itself asks directly`));
    expect(error.hint).not.toMatch(/hunter2|3128/);
  });

  it.each([
    { name: "where none is set", error: UNREACHABLE, env: {} },
    { name: "where it is empty", error: UNREACHABLE, env: { HTTPS_PROXY: "" } },
    { name: "with another error", error: new AgentctlError("CLOUD_DENIED", "no"), env: { HTTPS_PROXY: PROXY } },
  ])("changes nothing $name", ({ error, env }) => {
    expect(explainDirectness(error, env)).toBe(error);
  });

  it("is told by its name alone", () => {
    expect(setProxyVariables({ all_proxy: PROXY, NO_PROXY: "x", HTTP_PROXY: "" })).toEqual(["all_proxy"]);
  });
});

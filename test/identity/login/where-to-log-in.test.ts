import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { logIn } from "../../../src/identity/index.js";
import { findBrowser } from "../../../src/identity/login/open-browser.js";
import { comeBack, grantCode, type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
});
afterEach(() => stage.close());

describe("a browser", () => {
  const ssh = { SSH_TTY: "/dev/pts/0", DISPLAY: ":0" };
  test.each([
    { name: "on macOS", platform: "darwin", env: {}, want: { command: "open" } },
    { name: "under X", platform: "linux", env: { DISPLAY: ":0" }, want: { command: "xdg-open" } },
    { name: "under Wayland", platform: "linux", env: { WAYLAND_DISPLAY: "wayland-0" }, want: { command: "xdg-open" } },
    { name: "over SSH", platform: "linux", env: ssh, want: { reason: expect.stringContaining("SSH") } },
    { name: "over SSH to a Mac", platform: "darwin", env: ssh, want: { reason: expect.stringContaining("SSH") } },
    {
      name: "nowhere",
      platform: "linux",
      env: { DISPLAY: "" },
      want: { reason: expect.stringContaining("no display") },
    },
  ] as const)("$name", ({ platform, env, want }) => {
    expect(findBrowser({ platform, env })).toEqual(want);
  });

  test("is opened at the address, which is shown too; that it cannot be is told", async () => {
    const started: unknown[] = [];
    const child = Object.assign(new EventEmitter(), { unref: () => {} });
    const spawn = ((...args: unknown[]) => {
      started.push(args);
      return child;
    }) as never;
    const runtime = stage.runtime({ spawn, platform: "linux", env: { DISPLAY: ":0" } });
    const login = logIn({ ...REQUEST, noBrowser: false }, stage.tell, runtime);
    const address = await stage.shownAddress();
    expect(started).toEqual([["xdg-open", [address.href], { stdio: "ignore", detached: true }]]);
    child.emit("error", new Error("ENOENT"));
    expect(stage.told.at(-1)).toBe("xdg-open could not open the browser");
    grantCode(stage.provider, address);
    await comeBack(address);
    await login;
  });

  test("over SSH, with a provider that has no device code, only the address is shown", async () => {
    Object.assign(stage.provider.discovery, { device_authorization_endpoint: undefined });
    const runtime = stage.runtime({ env: { SSH_CONNECTION: "x" } });
    const login = logIn({ ...REQUEST, noBrowser: false }, stage.tell, runtime);
    const address = await stage.shownAddress();
    expect(stage.told[0]).toContain("this is an SSH session");
    expect(stage.told[1]).toContain("forward the port");
    grantCode(stage.provider, address);
    await comeBack(address);
    await login;
  });
});

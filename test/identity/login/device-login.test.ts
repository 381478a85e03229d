import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type LoginRequest, logIn } from "../../../src/identity/index.js";
import { thrownBy } from "../../thrown.js";
import { idToken, refusal } from "./fake-provider.js";
import { type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  stage.close();
});

/** Logs in while the library's pauses pass at once; answers how many seconds it paused. */
async function finish(request: Partial<LoginRequest> = {}, env: Record<string, string> = {}) {
  const login = logIn({ ...REQUEST, noBrowser: false, ...request }, stage.tell, stage.runtime({ env }));
  const settled = login.then(
    () => true,
    () => true,
  );
  let isOver = false;
  void settled.then(() => {
    isOver = true;
  });
  let seconds = 0;
  while (!isOver) {
    // Files and keys come on the real event loop, the library's pauses on the fake one.
    await new Promise((resolve) => setImmediate(resolve));
    if (vi.getTimerCount() > 0 && stage.told.some((text) => text.startsWith("waiting"))) {
      seconds += 1;
      await vi.advanceTimersByTimeAsync(1000);
    }
  }
  return { login, seconds };
}

const granted = async () => ({
  access_token: "access-secret",
  token_type: "Bearer",
  refresh_token: "refresh-1-secret",
  id_token: await idToken(),
  scope: "openid offline_access",
});

describe("a login by device code", () => {
  test("shows where to go and the code, and waits as long as the provider says", async () => {
    let asked = 0;
    stage.provider.token = () => {
      asked += 1;
      if (asked === 1) return refusal("authorization_pending");
      return asked === 2 ? refusal("slow_down") : granted();
    };
    const { login, seconds } = await finish({ device: true });
    expect(await login).toMatchObject({ subject: "ada", scopes: ["openid", "offline_access"] });
    expect(stage.told.slice(0, 3)).toEqual([
      "open https://login.example/activate and enter the code WDJB-MJHT",
      "or open https://login.example/activate?user_code=WDJB-MJHT, and see that it shows the same code",
      "waiting for at most 1m",
    ]);
    // 1 s, 1 s, and after `slow_down` five more (RFC 8628 §3.5).
    expect(seconds).toBeGreaterThanOrEqual(8);
    expect(stage.told.join()).not.toContain("secret");
    const form = stage.provider.asked.find(({ path }) => path === "/device")?.form;
    expect(form?.get("scope")).toBe("openid offline_access");
  });

  test.each([
    { error: "access_denied", message: "the login was denied (access_denied)" },
    { error: "expired_token", message: "the login was not finished in time (expired_token)" },
    { error: "unauthorized_client", message: "this client may not log in this way (unauthorized_client)" },
  ])("fails on $error", async ({ error, message }) => {
    stage.provider.token = () => refusal(error);
    const { login } = await finish({ device: true });
    expect(await thrownBy(() => login)).toMatchObject({ code: "IDENTITY_DENIED", message, facts: { error } });
  });

  test("fails with a provider that has none, before anybody is asked for anything", async () => {
    Object.assign(stage.provider.discovery, { device_authorization_endpoint: undefined });
    const { login } = await finish({ device: true });
    expect(await thrownBy(() => login)).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("shows no address without TLS", async () => {
    const { device } = stage.provider;
    stage.provider.device = async (form) => ({ ...(await device(form)), verification_uri: "http://login.example/a" });
    const { login } = await finish({ device: true });
    expect(await thrownBy(() => login)).toMatchObject({ code: "ENDPOINT_INVALID" });
  });

  test("what the provider says cannot steer the terminal", async () => {
    const { device } = stage.provider;
    stage.provider.device = async (form) => ({ ...(await device(form)), user_code: "A\u001b[2JB" });
    stage.provider.token = granted;
    await (await finish({ device: true })).login;
    expect(stage.told[0]).toContain("the code A\\u001b[2JB");
  });

  test.each([
    {
      name: "over SSH",
      env: { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", DISPLAY: ":0" },
      told: /this is an SSH session/,
    },
    { name: "without a display", env: {}, told: /there is no display/ },
  ])("is what is done $name, and why is told", async ({ env, told }) => {
    stage.provider.token = granted;
    await (await finish({}, env)).login;
    expect(stage.told[0]).toMatch(told);
    expect(stage.told[1]).toContain("enter the code");
  });
});

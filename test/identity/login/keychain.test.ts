import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { acquireIdentity, listLogins, logIn, logOut } from "../../../src/identity/index.js";
import { thrownBy } from "../../thrown.js";
import { CLIENT, idToken } from "./fake-provider.js";
import { comeBack, grantCode, type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

/** In the place of the native library: what it holds, and what it fails with. */
const chain = vi.hoisted(() => ({
  items: new Map<string, string>(),
  failure: undefined as Error | "never" | undefined,
  /** As of GNOME's keyring: whoever reads merely finds nothing. */
  isLocked: false,
}));

vi.mock("keytar", () => {
  const asked = async <T>(answer: () => T): Promise<T> => {
    if (chain.failure === "never") return new Promise<T>(() => {});
    if (chain.failure !== undefined) throw chain.failure;
    return answer();
  };
  return {
    default: {
      getPassword: (service: string, account: string) =>
        asked(() => (chain.isLocked ? null : (chain.items.get(`${service}/${account}`) ?? null))),
      setPassword: (service: string, account: string, text: string) =>
        asked(() => {
          if (chain.isLocked) throw new Error("Cannot create an item in a locked collection");
          chain.items.set(`${service}/${account}`, text);
        }),
      deletePassword: (service: string, account: string) => asked(() => chain.items.delete(`${service}/${account}`)),
    },
  };
});

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
  chain.items.clear();
  chain.failure = undefined;
  chain.isLocked = false;
});
afterEach(() => stage.close());

const KEYCHAIN = { ...REQUEST, store: "keychain" } as const;

async function logInThere(): Promise<void> {
  const login = logIn(KEYCHAIN, stage.tell, stage.runtime());
  const address = await stage.shownAddress();
  grantCode(stage.provider, address);
  await comeBack(address);
  await login;
}

describe("a login in the keychain", () => {
  test("is kept as agentctl's, under its name, and nowhere else", async () => {
    await logInThere();
    expect([...chain.items.keys()]).toEqual(["agentctl/work"]);
    expect(chain.items.get("agentctl/work")).toContain("refresh-1-secret");
    expect(stage.provider.asked.length).toBeGreaterThan(0);
    expect(listLogins(stage.runtime())).toMatchObject([{ name: "work", store: "keychain" }]);
  });

  test("is read, rotated and removed there", async () => {
    await logInThere();
    stage.provider.token = async () => ({
      access_token: "a",
      token_type: "Bearer",
      refresh_token: "refresh-2-secret",
      id_token: await idToken(),
    });
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    expect(await acquireIdentity(request, stage.runtime())).toMatchObject({ source: "login:work" });
    expect(chain.items.get("agentctl/work")).toContain("refresh-2-secret");
    await logOut({ all: true }, stage.runtime());
    expect(chain.items.size).toBe(0);
  });

  const LOCKED = "Cannot create an item in a locked collection";
  const NO_BUS = "Cannot autolaunch D-Bus without X11 $DISPLAY";
  const NO_SERVICE = "The name org.freedesktop.secrets was not provided by any .service files";
  test.each([
    { name: "is locked", failure: new Error(LOCKED), why: "it is locked, and was not unlocked" },
    { name: "is away: no bus", failure: new Error(NO_BUS), why: "there is no session bus to reach it on" },
    { name: "is away: no service", failure: new Error(NO_SERVICE), why: "no Secret Service runs here" },
    { name: "fails otherwise", failure: new Error("a\u001b[2Jb"), why: "a\\u001b[2Jb" },
  ])("that $name keeps nobody waiting in a browser, and names the other way", async ({ failure, why }) => {
    chain.failure = failure;
    expect(await thrownBy(() => logIn(KEYCHAIN, stage.tell, stage.runtime()))).toMatchObject({
      code: "KEYCHAIN_UNUSABLE",
      exitCode: 74,
      message: `the keychain cannot be used: ${why}`,
      hint: expect.stringContaining("--store file"),
    });
    expect(stage.provider.asked).toEqual([]);
  });

  test("that is locked, where a reader merely finds nothing", async () => {
    chain.isLocked = true;
    expect(await thrownBy(() => logIn(KEYCHAIN, stage.tell, stage.runtime()))).toMatchObject({
      code: "KEYCHAIN_UNUSABLE",
      message: "the keychain cannot be used: it is locked, and was not unlocked",
    });
    expect(stage.provider.asked).toEqual([]);
    chain.isLocked = false;
    await logInThere();
    chain.isLocked = true;
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    expect(await thrownBy(() => acquireIdentity(request, stage.runtime()))).toMatchObject({
      code: "NO_IDENTITY",
      message: expect.stringContaining("the keychain (which may be locked)"),
    });
  });

  test("that does not answer is given up on", async () => {
    chain.failure = "never";
    const runtime = stage.runtime({ sleep: () => Promise.resolve() });
    expect(await thrownBy(() => logIn(KEYCHAIN, stage.tell, runtime))).toMatchObject({
      code: "KEYCHAIN_UNUSABLE",
      message: expect.stringContaining("did not answer in time"),
    });
  });

  test("that is away later: the login is not used, and logging out says what it could not delete", async () => {
    await logInThere();
    chain.failure = new Error(NO_BUS);
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    expect(await thrownBy(() => acquireIdentity(request, stage.runtime()))).toMatchObject({
      code: "KEYCHAIN_UNUSABLE",
    });
    expect(await logOut({ all: true }, stage.runtime())).toMatchObject([
      { revoked: false, left: { code: "KEYCHAIN_UNUSABLE" } },
    ]);
    expect(listLogins(stage.runtime())).toEqual([]);
  });

  test("moves to a file when that is asked for, and out of the keychain", async () => {
    await logInThere();
    stage.told.length = 0;
    const login = logIn(REQUEST, stage.tell, stage.runtime());
    const address = await stage.shownAddress();
    grantCode(stage.provider, address);
    await comeBack(address);
    expect(await login).toMatchObject({ store: "file" });
    expect(chain.items.size).toBe(0);
  });
});

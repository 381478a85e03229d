import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkKeychain } from "../../src/doctor/check-keychain.js";
import { NOW } from "../identity/tokens.js";
import { findingsOf, makeProject, runtimeIn } from "./examination.js";

let dir: string;
beforeEach(() => {
  dir = makeProject();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

describe("keychain", () => {
  const logIn = (name: string, store: "keychain" | "file") => {
    fs.mkdirSync(path.join(dir, "state/logins"), { recursive: true, mode: 0o700 });
    const record = { version: 1, name, issuer: "https://issuer.example", clientId: "c", scopes: ["openid"], store };
    const text = JSON.stringify({ ...record, subject: "someone", loggedInAt: NOW });
    fs.writeFileSync(path.join(dir, "state/logins", `${name}.json`), text, { mode: 0o600 });
  };

  test("without a session bus: worth a note, and to those who logged in with it a warning", async () => {
    const away = runtimeIn(dir, { platform: "linux", env: { XDG_RUNTIME_DIR: "/nonexistent" } });
    expect(await findingsOf(checkKeychain, away)).toMatchObject([{ status: "note" }]);
    logIn("work", "keychain");
    expect(await findingsOf(checkKeychain, away)).toMatchObject([
      {
        status: "warn",
        code: "KEYCHAIN_UNUSABLE",
        message: expect.stringContaining("the token of work is kept there"),
      },
    ]);
  });

  test("a token in a file is told each time", async () => {
    logIn("work", "file");
    expect((await findingsOf(checkKeychain, runtimeIn(dir))).at(1)).toMatchObject({
      status: "note",
      message: "the token of login work is in a file, as was asked for",
    });
  });

  test("with a session bus, nothing is said of one that is missing", async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" };
    const [finding] = await findingsOf(checkKeychain, runtimeIn(dir, { platform: "linux", env }));
    expect(finding?.message).not.toContain("session bus");
  });
});

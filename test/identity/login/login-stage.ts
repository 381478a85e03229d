import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import type { LoginRequest } from "../../../src/identity/index.js";
import { type FakeRuntime, fakeRuntime } from "../../fake-runtime.js";
import { CLIENT, type FakeProvider, fakeProvider, ISSUER, idToken } from "./fake-provider.js";

export interface LoginStage {
  readonly dir: string;
  readonly provider: FakeProvider;
  readonly told: string[];
  readonly tell: (text: string) => void;
  runtime(overrides?: Parameters<typeof fakeRuntime>[0]): FakeRuntime;
  /** The address that was shown to the user. */
  shownAddress(): Promise<URL>;
  close(): void;
}

export const REQUEST: LoginRequest = {
  name: "work",
  issuer: ISSUER,
  clientId: CLIENT,
  scopes: [],
  device: false,
  noBrowser: true,
  store: "file",
  force: false,
};

/** A state directory of its own, and a provider without a network. Nobody runs out of patience. */
export function openLoginStage(): LoginStage {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-login-"));
  const provider = fakeProvider();
  const told: string[] = [];
  let wake: () => void = () => {};
  return {
    dir,
    provider,
    told,
    tell: (text) => {
      told.push(text);
      wake();
    },
    runtime: (overrides = {}) =>
      fakeRuntime({
        cwd: dir,
        fetch: provider.fetch,
        sleep: (ms) => (ms > 60_000 ? new Promise(() => {}) : Promise.resolve()),
        ...overrides,
        env: { AGENTCTL_STATE_DIR: path.join(dir, "state"), ...overrides.env },
      }),
    shownAddress: async () => {
      for (;;) {
        const found = told.map((text) => /https:\/\/login\.example\/auth\S+/.exec(text)?.[0]).find(Boolean);
        if (found !== undefined) return new URL(found);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}

/** What the provider gives for the code of this login: a token with its nonce. */
export function grantCode(provider: FakeProvider, address: URL, more: Record<string, unknown> = {}, claims = {}): void {
  provider.token = async () => ({
    access_token: "access-secret",
    token_type: "Bearer",
    refresh_token: "refresh-1-secret",
    id_token: await idToken({ nonce: address.searchParams.get("nonce"), ...claims }),
    ...more,
  });
}

/** Comes back from the provider as the browser does; answers the status and the page. */
export function comeBack(
  address: URL,
  parameters: Record<string, string> = {},
  host?: string,
): Promise<{ readonly status: number; readonly page: string }> {
  const back = new URL(address.searchParams.get("redirect_uri") ?? "");
  const all = { code: "code-secret", state: address.searchParams.get("state") ?? "", iss: ISSUER, ...parameters };
  back.search = new URLSearchParams(all).toString();
  return get(back, host);
}

export function get(url: URL, host?: string): Promise<{ readonly status: number; readonly page: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, ...(host !== undefined && { headers: { host } }) }, (response) => {
      let page = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        page += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, page }));
    });
    request.on("error", reject);
  });
}

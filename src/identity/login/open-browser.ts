import type { Environment, Runtime } from "../../core/runtime.js";

/** How to open an address in a browser that the user sees, or why there is none. */
export type BrowserFinding = { readonly command: string } | { readonly reason: string };

export function findBrowser({ env, platform }: Pick<Runtime, "env" | "platform">): BrowserFinding {
  if (isSet(env, "SSH_CONNECTION") || isSet(env, "SSH_TTY")) {
    return { reason: "this is an SSH session, so a browser here would open where nobody sees it" };
  }
  if (platform === "darwin") return { command: "open" };
  if (isSet(env, "DISPLAY") || isSet(env, "WAYLAND_DISPLAY")) return { command: "xdg-open" };
  return { reason: "there is no display to open a browser on" };
}

/** Starts the browser and lets it be; `onFailure` is called when it cannot be started, or says that it failed. */
export function openBrowser(
  command: string,
  url: string,
  onFailure: () => void,
  runtime: Pick<Runtime, "spawn">,
): void {
  const child = runtime.spawn(command, [url], { stdio: "ignore", detached: true });
  child.once("error", onFailure);
  child.once("exit", (code) => {
    if (code !== 0 && code !== null) onFailure();
  });
  child.unref();
}

function isSet(env: Environment, name: string): boolean {
  return (env[name] ?? "") !== "";
}

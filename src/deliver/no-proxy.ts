const LOOPBACK = ["127.0.0.1", "localhost"];

/**
 * Lets loopback join NO_PROXY, since a proxy cannot reach this machine's own services. Both spellings get
 * the same list: which one a tool reads differs, and curl reads only the lower-case one for http.
 */
export function joinNoProxy(env: Readonly<Record<string, string>>): Record<"NO_PROXY" | "no_proxy", string> {
  const hosts = [env["NO_PROXY"], env["no_proxy"]].flatMap((list) => splitHosts(list ?? ""));
  // `*` is understood only when it stands alone.
  const joined = hosts.includes("*") ? "*" : [...new Set([...hosts, ...LOOPBACK])].join(",");
  return { NO_PROXY: joined, no_proxy: joined };
}

function splitHosts(list: string): string[] {
  return list
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
}

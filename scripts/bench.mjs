// `npm run bench`: what agentctl costs, side by side from one run, against the embedded sandbox. What is compared takes
// turns, round by round, so that a machine that slows down slows all of it. Medians; the tables are those of docs/figures.md.
//   npm run bench [-- ROUNDS [startup|memory|endpoint]…]
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

/** Bundles that this machine's owner trusts: reading one takes 40 ms, as often as a tool does, and is not agentctl's cost. */
const BUNDLES = [
  "AWS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
  "HTTPLIB2_CA_CERTS",
];

ensureSetup();
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !BUNDLES.includes(name)));
const inner = [path.join(root, "scripts/bench-inside.mjs"), ...process.argv.slice(2)];
const agentctl = path.join(root, "bin/agentctl.js");
const result = spawnSync(process.execPath, [agentctl, "sandbox", "--quiet", "--", process.execPath, ...inner], {
  env,
  stdio: "inherit",
});
process.exit(result.status ?? 1);

// `npm run test:clients`: test/clients, with the pinned real clients.
import { CLIENT_PATHS, installClients } from "./install-clients.mjs";
import { ensureSetup } from "./setup.mjs";
import { runVitest } from "./vitest.mjs";

ensureSetup();
await installClients();
// One file at a time: several clients at once work against credentials that live for seconds.
runVitest("clients", ["--project", "clients", "--maxWorkers=1", ...process.argv.slice(2)], {
  AGENTCTL_TEST_CLIENTS: CLIENT_PATHS.join(":"),
});

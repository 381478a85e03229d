// `npm test`: sets up where needed, then runs the unit and end-to-end tests. Further arguments go to vitest.
import { ensureSetup } from "./setup.mjs";
import { runVitest, WORKERS } from "./vitest.mjs";

ensureSetup();
runVitest("test", ["--project", "unit", "--project", "e2e", ...process.argv.slice(2)], WORKERS);

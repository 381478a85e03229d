// One version of Node (AGENTCTL_TEST_NODE): the end-to-end tests that every release must pass on each.
import { runVitest, WORKERS } from "./vitest.mjs";

const files = ["test/e2e/run.test.ts", "test/e2e/child.test.ts"];
runVitest(`node-${process.argv[2]}`, ["--project", "e2e", ...files], WORKERS);

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/build-once.ts"],
    setupFiles: ["test/loopback-only.ts"],
    // Vitest leaves a core to itself, which on two is half of them.
    maxWorkers: Number(process.env["TEST_WORKERS"] ?? availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/e2e/**", "test/clients/**"] },
      },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"] } },
      { extends: true, test: { name: "clients", include: ["test/clients/**/*.test.ts"], testTimeout: 120_000 } },
    ],
  },
});

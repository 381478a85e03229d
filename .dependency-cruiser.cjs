const STAGES = "config|identity|policy|clouds|deliver|run|lease|audit|credential|sandbox";

/** The layout of the design, as rules: one direction, no stage knows another. */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "core-imports-nothing-from-src",
      severity: "error",
      from: { path: "^src/core/" },
      to: { path: "^src/(?!core/)" },
    },
    {
      name: "a-stage-imports-core-and-itself",
      severity: "error",
      from: { path: `^src/(${STAGES})/` },
      to: { path: "^src/", pathNot: "^src/(core|$1)/" },
    },
    {
      name: "a-cloud-imports-no-other-cloud",
      severity: "error",
      from: { path: "^src/clouds/(aws|azure|gcp)/" },
      to: { path: "^src/clouds/(aws|azure|gcp)/", pathNot: "^src/clouds/$1/" },
    },
    {
      name: "the-cli-reaches-a-stage-by-its-front-door",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: `^src/(${STAGES}|doctor|init)/`, pathNot: "/index\\.ts$" },
    },
    {
      name: "session-reaches-a-stage-by-its-front-door",
      severity: "error",
      from: {
        path: "^src/((closing|cloud-sweep|credential|ending|finish|held|prepare|renewal|revoke|rights|setup|sweep|whoami)-)?session\\.ts$",
      },
      to: {
        path: "^src/",
        pathNot: `^src/((${STAGES})/index\\.ts|core/|(closing|cloud-sweep|ending|finish|held|prepare|renewal|rights|sweep)-session\\.ts)`,
      },
    },
    {
      name: "doctor-and-init-reach-a-stage-by-its-front-door",
      severity: "error",
      from: { path: "^src/(doctor|init)/" },
      to: { path: "^src/", pathNot: `^src/((${STAGES})/index\\.ts|core/|$1/)` },
    },
    {
      name: "nothing-imports-main-or-cli",
      severity: "error",
      from: { path: `^src/(${STAGES}|core|doctor|init|[a-z-]*session)` },
      to: { path: "^src/(main\\.ts|cli/)" },
    },
    {
      name: "sdks-and-libraries-only-where-they-belong",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(clouds|sandbox)/" },
      to: { path: "node_modules/(@aws-sdk|@azure|google-auth-library|@smithy)/" },
    },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, path: "^src/", pathNot: "^src/main\\.ts$" },
      to: {},
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: [".ts", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
  },
};

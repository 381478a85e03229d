/** A variable that an agent tool sets for the commands it runs. */
export interface AgentMark {
  readonly variable: string;
  /** Only these values are a mark; absent, any value that is not a way of saying no. */
  readonly values?: readonly string[];
  readonly agent: string;
}

/**
 * Marks of agents, the more specific first. Left out on purpose: what a person's own terminal or settings have too
 * (`CURSOR_TRACE_ID`, `REPL_ID`, `CODEX_HOME`, `AIDER_MODEL`, `GOOSE_PROVIDER`, …), since a person is not to be taken for an agent.
 * Sources: each tool's documentation or code; for several at once, vercel/detect-agent and aws-cdk-cli's detect-agent.ts.
 */
export const AGENT_MARKS: readonly AgentMark[] = [
  { variable: "AMP_CURRENT_THREAD_ID", agent: "amp" },
  { variable: "CLAUDECODE", agent: "claude-code" },
  { variable: "CLAUDE_CODE", agent: "claude-code" },
  { variable: "CURSOR_AGENT", agent: "cursor" },
  { variable: "CURSOR_EXTENSION_HOST_ROLE", values: ["agent-exec"], agent: "cursor" },
  { variable: "GEMINI_CLI", agent: "gemini-cli" },
  { variable: "CODEX_THREAD_ID", agent: "codex" },
  { variable: "CODEX_SANDBOX", agent: "codex" },
  { variable: "CODEX_SANDBOX_NETWORK_DISABLED", agent: "codex" },
  { variable: "CODEX_CI", agent: "codex" },
  { variable: "OPENCODE", agent: "opencode" },
  { variable: "OPENCODE_CLIENT", agent: "opencode" },
  { variable: "COPILOT_AGENT", agent: "copilot" },
  { variable: "COPILOT_CLI", agent: "copilot" },
  { variable: "CLINE_ACTIVE", agent: "cline" },
  { variable: "AUGMENT_AGENT", agent: "augment" },
  { variable: "ANTIGRAVITY_AGENT", agent: "antigravity" },
  { variable: "GOOSE_TERMINAL", agent: "goose" },
  { variable: "PI_CODING_AGENT", agent: "pi" },
  // Shared conventions: AGENT has other uses too, so only the values that tools are known to set count.
  { variable: "AGENT", values: ["amp", "goose", "claude", "claude-code", "codex", "cursor", "gemini-cli"], agent: "" },
  { variable: "AI_AGENT", agent: "" },
];

/** Variables by which continuous integration services make themselves known; most set `CI` as well. */
export const CI_MARKS: readonly string[] = [
  ...["GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "BITBUCKET_BUILD_NUMBER", "TF_BUILD", "JENKINS_URL"],
  ...["TEAMCITY_VERSION", "TRAVIS", "APPVEYOR", "DRONE", "CODEBUILD_BUILD_ID", "TFC_RUN_ID", "CI"],
];

/** Ways in which a variable is set and yet says no. */
export const DENIALS: readonly string[] = ["", "0", "false", "no", "off"];

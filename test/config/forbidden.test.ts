import { afterEach, describe, expect, it } from "vitest";
import { FORBIDDEN_VARIABLES } from "../../src/config/forbidden-variables.js";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const load = (env: string) => {
  project = createProject({
    "agentctl.yaml": `version: 1\nprofiles:\n  p:\n    env: ${env}\n    aws: { role_arn: ${ROLE} }\n`,
  });
  return loadProfile({ profileName: "p" }, project.runtime);
};

const SET = [
  "PATH",
  "LD_PRELOAD",
  "DYLD_INSERT_LIBRARIES",
  "NODE_OPTIONS",
  "PYTHONSTARTUP",
  "PYTHONPATH",
  "PERL5OPT",
  "PERL5LIB",
  "RUBYOPT",
  "BASH_ENV",
  "ENV",
  "BASH_FUNC_ls",
  "JAVA_TOOL_OPTIONS",
  "_JAVA_OPTIONS",
  "DOTNET_STARTUP_HOOKS",
  "GIT_SSH_COMMAND",
  "GIT_CONFIG_COUNT",
  "GIT_EXEC_PATH",
  "HTTP_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "NO_PROXY",
  "AWS_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "SSLKEYLOGFILE",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "CLOUDSDK_AUTH_DISABLE_SSL_VALIDATION",
  "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_STS",
  "AWS_S3_ENDPOINT",
  "AWS_EC2_METADATA_DISABLED",
  "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS",
  "CLOUDSDK_AUTH_TOKEN_HOST",
  "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
  "STORAGE_EMULATOR_HOST",
  "AZURE_AUTHORITY_HOST",
  "AZURE_RESOURCE_MANAGER_ENDPOINT",
  "AZURE_RESOURCE_MANAGER_AUDIENCE",
  "ARM_METADATA_HOSTNAME",
  "HOME",
  "XDG_CONFIG_HOME",
  "IFS",
  "SHELL",
  "EDITOR",
  "GIT_EDITOR",
  "PAGER",
  "AWS_PAGER",
  "GIT_ASKPASS",
  "TF_CLI_CONFIG_FILE",
  "TF_CLI_ARGS_apply",
  "TF_PLUGIN_CACHE_DIR",
  "DOCKER_HOST",
  "KUBECONFIG",
  "AGENTCTL_STATE_DIR",
  "AGENTCTL_ID_TOKEN",
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_CONFIG_FILE",
  "AZURE_CLIENT_SECRET",
  "ARM_CLIENT_SECRET",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  "npm_config_registry",
  "PIP_INDEX_URL",
] as const;

const HARMLESS = [
  "TF_IN_AUTOMATION",
  "TF_VAR_region",
  "TF_LOG",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_MAX_ATTEMPTS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_STS_REGIONAL_ENDPOINTS",
  "NODE_ENV",
  "GIT_TERMINAL_PROMPT",
  "LANG",
  "TZ",
  "CI",
  "DEBUG",
  "GOOGLE_CLOUD_PROJECT",
  "AZURE_SUBSCRIPTION_ID",
  "MY_PATH",
  "STAGE",
] as const;

describe("env.set in a project's file", () => {
  it.each(SET)("may not set %s", (name) => {
    const { code, message, hint } = failureOf(() => load(`{ set: { ${name}: "x" } }`));
    expect(code).toBe("CONFIG_FORBIDDEN");
    expect(message).toMatch(
      /^agentctl\.yaml:4:19: profiles\.p\.env\.set\.\w+: a project's file may not set \w+: it \w+/,
    );
    expect(hint).toContain("your own config.yaml");
  });

  it.each(HARMLESS)("may set %s", (name) => {
    expect(load(`{ set: { ${name}: "1" } }`).env.set).toEqual({ [name]: "1" });
  });

  it.each(["AWS_PAGER", "PAGER", "GIT_PAGER"])("may turn %s off", (name) => {
    expect(load(`{ set: { ${name}: "" } }`).env.set).toEqual({ [name]: "" });
  });

  it("is refused even in a profile that is not asked for", () => {
    project = createProject({
      "agentctl.yaml": `version: 1\nprofiles:\n  q: { env: { set: { PATH: /x } } }\n  p: { aws: { role_arn: ${ROLE} } }\n`,
    });
    expect(failureOf(() => loadProfile({ profileName: "p" }, project.runtime)).code).toBe("CONFIG_FORBIDDEN");
  });
});

describe("env.pass in a project's file", () => {
  it.each([
    "AWS_ACCESS_KEY_ID",
    "aws_profile",
    "AZURE_CLIENT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "AGENTCTL_ID_TOKEN_AWS",
  ])("may not keep %s", (name) => {
    const { code, message, hint } = failureOf(() => load(`{ pass: [A, ${name}] }`));
    expect(code).toBe("CONFIG_FORBIDDEN");
    expect(message).toMatch(/^agentctl\.yaml:4:22: profiles\.p\.env\.pass\[1\]: a project's file may not pass /);
    expect(hint).toContain("--pass-env");
  });

  it.each(["NPM_TOKEN", "GITHUB_TOKEN", "NODE_OPTIONS", "HTTPS_PROXY"])("may keep %s", (name) => {
    expect(load(`{ pass: [${name}] }`).env.pass).toEqual([name]);
  });
});

describe("peer_check in a project's file", () => {
  it.each([
    { name: "a profile", text: `profiles:\n  p: { peer_check: off, aws: { role_arn: ${ROLE} } }\n`, at: "3:20" },
    {
      name: "a profile that is not asked for",
      text: `profiles:\n  q: { peer_check: off }\n  p: { aws: { role_arn: ${ROLE} } }\n`,
      at: "3:20",
    },
    {
      name: "the defaults",
      text: `defaults: { peer_check: off }\nprofiles:\n  p: { aws: { role_arn: ${ROLE} } }\n`,
      at: "2:25",
    },
  ])("may not be off in $name", ({ text, at }) => {
    project = createProject({ "agentctl.yaml": `version: 1\n${text}` });
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_FORBIDDEN", hint: expect.stringContaining("your own config.yaml") });
    expect(failure.message.startsWith(`agentctl.yaml:${at}: `), failure.message).toBe(true);
  });
});

describe("the list of forbidden variables", () => {
  it('is in upper case, without repeats, and gives a reason that goes on after "it"', () => {
    const names = FORBIDDEN_VARIABLES.flatMap((entry) => entry.names);
    expect(names.filter((name) => name !== name.toUpperCase())).toEqual([]);
    expect(names.length).toBe(new Set(names).size);
    for (const { reason } of FORBIDDEN_VARIABLES) expect(reason).toMatch(/^[a-z]+s /);
  });
});

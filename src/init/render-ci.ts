import type { CloudName } from "../core/profile.js";
import type { CiName } from "./look-around.js";
import type { Settled } from "./settle.js";

/** Where a CI job goes, from the repository's root, and what its owner has to do besides. */
export const CI_FILES: Readonly<Record<CiName, { readonly file: string; readonly next?: string }>> = {
  github: { file: ".github/workflows/agentctl.yml" },
  gitlab: {
    file: ".gitlab/agentctl.gitlab-ci.yml",
    next: "add to .gitlab-ci.yml: include: [{ local: .gitlab/agentctl.gitlab-ci.yml }]",
  },
};

/** A command that shows that the credentials work and prints none of them. */
const FIRST_COMMANDS: Readonly<Record<CloudName, string>> = {
  aws: "aws sts get-caller-identity",
  azure: "az account show",
  gcp: "gcloud storage ls",
};

export interface JobInput extends Pick<Settled, "clouds" | "profileName"> {
  readonly branch: string;
  /** Of agentctl. */
  readonly version: string;
  /** The audience of each cloud's token. */
  readonly audiences: readonly { readonly cloud: CloudName; readonly audience: string }[];
}

export function renderJob(ci: CiName, input: JobInput): string {
  return ci === "github" ? renderGithub(input) : renderGitlab(input);
}

function renderGithub({ profileName, clouds, branch, version }: JobInput): string {
  return `# Runs one command with the credentials of profile ${profileName} in agentctl.yaml.
name: agentctl
on:
  push: { branches: [${JSON.stringify(branch)}] }
  workflow_dispatch:
permissions:
  contents: read
  id-token: write          # lets the job prove who it is; agentctl takes this power away from the command
jobs:
  agentctl:
    runs-on: ubuntu-latest
    # environment: production      # a protected environment is a claim that the clouds can demand
    steps:
      - uses: actions/checkout@v5
      - run: npm install --global ./tools/agentctl-${version}.tgz      # from npm pack; it is on no registry
      - run: agentctl doctor -p ${profileName}
      - run: agentctl run -p ${profileName} --receipt lease.json -- ${firstCommand(clouds)}
      - uses: actions/upload-artifact@v4
        if: always()
        with: { name: lease, path: lease.json }
`;
}

function renderGitlab({ profileName, clouds, branch, version, audiences }: JobInput): string {
  const tokens = audiences.map(
    ({ cloud, audience }) => `    TOKEN_FOR_${cloud.toUpperCase()}: { aud: ${JSON.stringify(audience)} }\n`,
  );
  return `# Runs one command with the credentials of profile ${profileName} in agentctl.yaml.
# In .gitlab-ci.yml: include: [{ local: ${CI_FILES.gitlab.file} }]
agentctl:
  image: node:22
  rules:
    - if: $CI_COMMIT_BRANCH == ${JSON.stringify(branch)} && $CI_COMMIT_REF_PROTECTED == "true"
  id_tokens:               # one a cloud; agentctl keeps them from the command
${tokens.join("")}  script:
    - npm install --global ./tools/agentctl-${version}.tgz      # from npm pack; it is on no registry
    - agentctl doctor -p ${profileName}
    - agentctl run -p ${profileName} --receipt lease.json -- ${firstCommand(clouds)}
  artifacts: { when: always, paths: [lease.json] }
`;
}

function firstCommand([cloud = "aws"]: readonly CloudName[]): string {
  return FIRST_COMMANDS[cloud];
}

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

/** Where a job finds agentctl, from the repository's root. */
export function packageFile(version: string): string {
  return `tools/agentctl-${version}.tgz`;
}

/** A command that shows that the credentials work and prints none of them. */
const FIRST_COMMANDS: Readonly<Record<CloudName, string>> = {
  aws: "aws sts get-caller-identity",
  azure: "az account show",
  gcp: "gcloud storage ls",
};

const SWEEP = "agentctl lease sweep";

export interface JobInput extends Pick<Settled, "clouds" | "profileName"> {
  readonly branch: string;
  /** Empty, or ` --config FILE`. */
  readonly option: string;
  /** Of agentctl. */
  readonly version: string;
  /** The audience of each cloud's token. */
  readonly audiences: readonly { readonly cloud: CloudName; readonly audience: string }[];
}

export function renderJob(ci: CiName, input: JobInput): string {
  return ci === "github" ? renderGithub(input) : renderGitlab(input);
}

function renderGithub(input: JobInput): string {
  const { profileName, branch } = input;
  const [install, doctor, run] = commandsOf(input);
  return `# Runs one command with the credentials of the profile ${profileName}.
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
      - run: ${install}      # from npm pack; it is on no registry
      - run: ${doctor}
      - run: ${toScalar(`exec ${run}`)}      # exec: what cancels the job then tells agentctl
      - run: ${SWEEP}      # finishes what a run that was killed left
        if: always()
      - uses: actions/upload-artifact@v4
        if: always()
        with: { name: lease, path: lease.json }
`;
}

function renderGitlab(input: JobInput): string {
  const { profileName, branch, audiences } = input;
  const [install, doctor, run] = commandsOf(input);
  const tokens = audiences.map(
    ({ cloud, audience }) => `    TOKEN_FOR_${cloud.toUpperCase()}: { aud: ${JSON.stringify(audience)} }\n`,
  );
  return `# Runs one command with the credentials of the profile ${profileName}.
# In .gitlab-ci.yml: include: [{ local: ${CI_FILES.gitlab.file} }]
agentctl:
  image: node:22
  rules:
    - if: $CI_COMMIT_BRANCH == ${JSON.stringify(branch)} && $CI_COMMIT_REF_PROTECTED == "true"
  id_tokens:               # one a cloud; agentctl keeps them from the command
${tokens.join("")}  script:
    - ${install}      # from npm pack; it is on no registry
    - ${doctor}
    - ${toScalar(run)}
  after_script: [${SWEEP}]      # finishes what a run that was killed left
  artifacts: { when: always, paths: [lease.json] }
`;
}

function commandsOf({ profileName, clouds: [cloud = "aws"], version, option }: JobInput): [string, string, string] {
  return [
    `npm install --global ./${packageFile(version)}`,
    toScalar(`agentctl doctor -p ${profileName}${option}`),
    `agentctl run -p ${profileName}${option} --receipt lease.json -- ${FIRST_COMMANDS[cloud]}`,
  ];
}

/** Plain where YAML lets it; a file's name may be anything. */
function toScalar(text: string): string {
  return /: | #|:$/.test(text) ? JSON.stringify(text) : text;
}

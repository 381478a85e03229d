/** The claims of a job on GitLab, without those that change from token to token. */
export function gitlabClaims(): Record<string, unknown> {
  return {
    sub: "project_path:acme/site:ref_type:branch:ref:main",
    namespace_id: "600000001",
    namespace_path: "acme",
    project_id: "700000001",
    project_path: "acme/site",
    project_visibility: "private",
    user_id: "583231",
    user_login: "octocat",
    user_email: "octocat@acme.example",
    user_access_level: "maintainer",
    pipeline_id: "8000000001",
    pipeline_source: "push",
    job_id: "9000000001",
    ref: "main",
    ref_type: "branch",
    ref_path: "refs/heads/main",
    ref_protected: "true",
    runner_id: 1,
    runner_environment: "gitlab-hosted",
    sha: "0123456789abcdef0123456789abcdef01234567",
    ci_config_ref_uri: "gitlab.com/acme/site//.gitlab-ci.yml@refs/heads/main",
    ci_config_sha: "0123456789abcdef0123456789abcdef01234567",
  };
}

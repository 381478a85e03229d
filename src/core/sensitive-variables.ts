/**
 * What the child must not inherit, and in strict mode what it may, by name. Data: a name that ends in `*` is a
 * prefix, and names match without regard to case, since Google's Node library reads `google_application_credentials`
 * too. `source` is where the variable was read in a library's source, or the document that defines it.
 */
export interface VariableEntry {
  readonly names: readonly string[];
  /** Names that a prefix above would cover, and that are neither credential nor identity. */
  readonly except?: readonly string[];
  readonly source: string;
}

/** From these an AWS SDK, CLI or Terraform provider takes a credential, an identity, or the place of one. */
export const AWS_VARIABLES: readonly VariableEntry[] = [
  {
    source: "botocore 1.43 credentials.py, AWS SDK for JavaScript 3 credential-provider-env",
    names: words(`
      AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION
      AWS_CREDENTIAL_SCOPE AWS_ACCOUNT_ID`),
  },
  {
    source: "AWS SDK for Go 2 config/env_config.go and AWS SDK for Java 1: the older spellings",
    names: words("AWS_ACCESS_KEY AWS_SECRET_KEY"),
  },
  {
    source: "AWS SDK for Ruby 3 aws-sdk-core/credential_provider_chain.rb",
    names: words("AMAZON_ACCESS_KEY_ID AMAZON_SECRET_ACCESS_KEY AMAZON_SESSION_TOKEN"),
  },
  {
    source: "botocore 1.43 configprovider.py and session.py, AWS SDK for JavaScript 3 shared-ini-file-loader",
    names: words("AWS_PROFILE AWS_DEFAULT_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE"),
  },
  { source: "AWS SDK for Java 1 AwsProfileFileLocationProvider", names: words("AWS_CREDENTIAL_PROFILES_FILE") },
  {
    source: "botocore 1.43 credentials.py OriginalEC2Provider, BotoProvider; boto 2 pyami/config.py (gsutil)",
    names: words("AWS_CREDENTIAL_FILE BOTO_CONFIG BOTO_PATH"),
  },
  {
    source: "botocore 1.43 credentials.py AssumeRoleWithWebIdentityProvider",
    names: words("AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME"),
  },
  {
    source: "AWS SDK for JavaScript 3 credential-provider-http, botocore 1.43 credentials.py ContainerProvider",
    names: words("AWS_CONTAINER_*"),
  },
  {
    source: "botocore 1.43 utils.py IMDSFetcher, aws-sdk-go-base 2 (AWS_METADATA_URL): where identities come from",
    names: words("AWS_EC2_METADATA_SERVICE_ENDPOINT* AWS_EC2_METADATA_DISABLED AWS_METADATA_URL"),
  },
  { source: "botocore 1.43 tokens.py and auth.py, AWS SDK for JavaScript 3 core", names: words("AWS_BEARER_TOKEN_*") },
  { source: "AWS SDK for JavaScript 3 credential-provider-login", names: words("AWS_LOGIN_CACHE_DIRECTORY") },
  { source: "aws-vault USAGE.md: its session's mark and its backends' passphrases", names: words("AWS_VAULT*") },
  { source: "aws-vault vault/run.go before 7", names: words("AWS_SESSION_EXPIRATION") },
  { source: "AWS Elastic Beanstalk CLI documentation", names: words("AWS_EB_PROFILE") },
  {
    source: "Ansible amazon.aws collection, plugins/doc_fragments/common.py",
    names: words("EC2_ACCESS_KEY EC2_SECRET_KEY EC2_SECURITY_TOKEN"),
  },
];

/** The same for Azure. */
export const AZURE_VARIABLES: readonly VariableEntry[] = [
  {
    source: "azidentity (Go) 1.15, @azure/identity 4.13 and azure-identity (Python) EnvironmentCredential",
    names: words("AZURE_CLIENT_* AZURE_TENANT_ID AZURE_USERNAME AZURE_PASSWORD AZURE_TOKEN_CREDENTIALS"),
  },
  {
    source: "azidentity (Go) 1.15 workload_identity.go, azure-identity (Python) token_binding",
    names: words("AZURE_FEDERATED_TOKEN* AZURE_KUBERNETES_*"),
  },
  {
    source: "azidentity (Go) 1.15 managed_identity_client.go, azure-identity (Python) managed_identity.py",
    names: words(`
      IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT IMDS_ENDPOINT MSI_ENDPOINT MSI_SECRET
      DEFAULT_IDENTITY_CLIENT_ID AZURE_POD_IDENTITY_AUTHORITY_HOST`),
  },
  {
    source: "azure-cli-core _environment.py; `az storage`, `az batch`, `az devops` and `azure/login` documentation",
    names: words(`
      AZURE_CONFIG_DIR AZURE_ACCESS_TOKEN* AZURE_CREDENTIALS AZURE_STORAGE_KEY AZURE_STORAGE_ACCESS_KEY
      AZURE_STORAGE_CONNECTION_STRING AZURE_STORAGE_SAS_TOKEN AZURE_BATCH_ACCESS_KEY AZURE_DEVOPS_EXT_PAT
      AZURE_OPENAI_API_KEY AZURE_OPENAI_AD_TOKEN`),
  },
  { source: "Azure Functions Core Tools documentation", names: words("AzureWebJobsStorage") },
  { source: "azure-dev (azd) cli/azd/docs/external-authentication.md", names: words("AZD_AUTH_* AZD_CONFIG_DIR") },
  {
    source: "AzCopy documentation, `azcopy login` and `azcopy env`",
    names: words("AZCOPY_SPA_* AZCOPY_MSI_* AZCOPY_OAUTH_TOKEN_INFO AZCOPY_AUTO_LOGIN_TYPE AZCOPY_TENANT_ID"),
  },
  {
    source: "terraform-provider-azurerm internal/provider/provider.go, Terraform's azurerm backend",
    names: words(`
      ARM_CLIENT_* ARM_TENANT_ID ARM_AUXILIARY_TENANT_IDS ARM_OIDC_* ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID
      ARM_MSI_* ARM_USE_OIDC ARM_USE_MSI ARM_USE_CLI ARM_USE_AKS_WORKLOAD_IDENTITY ARM_ACCESS_KEY ARM_SAS_TOKEN`),
  },
  { source: "terraform-provider-azuredevops documentation", names: words("AZDO_PERSONAL_ACCESS_TOKEN") },
  { source: "Azure kubelogin documentation", names: words("AAD_SERVICE_PRINCIPAL_* AAD_USER_PRINCIPAL_*") },
  {
    source:
      "go-autorest autorest/azure/auth and azure-common (Python) client_factory: the auth file, and its era's names",
    names: words("AZURE_AUTH_LOCATION AZURE_CERTIFICATE_PATH AZURE_CERTIFICATE_PASSWORD"),
  },
  {
    source: "Ansible azure.azcollection, plugins/doc_fragments/azure.py",
    names: words("AZURE_SECRET AZURE_AD_USER AZURE_PROFILE AZURE_X509_CERTIFICATE_PATH AZURE_THUMBPRINT"),
  },
  {
    source: "Azure Pipelines AzureCLI@2 with addSpnToEnvironment; AzurePipelinesCredential",
    names: words("servicePrincipalId servicePrincipalKey AZURESUBSCRIPTION_*"),
  },
];

/** The same for Google. */
export const GOOGLE_VARIABLES: readonly VariableEntry[] = [
  {
    source: "google-auth (Python) environment_variables.py, google-auth-library (Node) 10, golang.org/x/oauth2",
    names: words("GOOGLE_APPLICATION_CREDENTIALS GOOGLE_EXTERNAL_ACCOUNT_* GOOGLE_API_CERTIFICATE_CONFIG"),
  },
  {
    source:
      "google-auth (Python) compute_engine/_metadata.py, gcp-metadata (Node) 7, gcloud core/credentials/gce_read.py",
    names: words("GCE_METADATA_* METADATA_SERVER_DETECTION NO_GCE_CHECK CLOUDSDK_CORE_CHECK_GCE_METADATA"),
  },
  {
    source: "gcloud 528 core/config.py, core/properties.py and core/credentials/store.py",
    names: words("CLOUDSDK_CONFIG CLOUDSDK_ACTIVE_CONFIG_NAME CLOUDSDK_CORE_ACCOUNT CLOUDSDK_AUTH_*"),
    except: words(`
      CLOUDSDK_AUTH_TOKEN_HOST CLOUDSDK_AUTH_MTLS_TOKEN_HOST CLOUDSDK_AUTH_TOKEN_INTROSPECTION_ENDPOINT
      CLOUDSDK_AUTH_DISABLE_SSL_VALIDATION`),
  },
  { source: "gcloud 528 core/credentials/devshell.py", names: words("DEVSHELL_CLIENT_PORT") },
  {
    source: "terraform-provider-google provider reference, Terraform's gcs backend",
    names: words(`
      GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN
      GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_BACKEND_CREDENTIALS GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT`),
  },
  { source: "google-github-actions/auth", names: words("GOOGLE_GHA_CREDS_PATH") },
  {
    source: "google-cloud-ruby and googleauth (Ruby) credentials_loader.rb",
    names: words(`
      GOOGLE_CLOUD_CREDENTIALS* GOOGLE_CLOUD_KEYFILE GCLOUD_KEYFILE GOOGLE_ACCOUNT_TYPE GOOGLE_CLIENT_ID
      GOOGLE_CLIENT_EMAIL GOOGLE_CLIENT_SECRET GOOGLE_PRIVATE_KEY GOOGLE_REFRESH_TOKEN`),
  },
  { source: "gsutil's boto 2, provider.py", names: words("GS_ACCESS_KEY_ID GS_SECRET_ACCESS_KEY") },
  { source: "Google Gen AI SDK (google-genai) client", names: words("GOOGLE_API_KEY GEMINI_API_KEY") },
  { source: "Firebase CLI documentation", names: words("FIREBASE_TOKEN") },
  {
    source: "Ansible google.cloud collection, plugins/doc_fragments/gcp.py",
    names: words("GCP_AUTH_KIND GCP_SERVICE_ACCOUNT_* GCP_ACCESS_TOKEN"),
  },
];

/** With these the child could obtain the caller's own identity again, or is handed its token. */
export const MINTING_VARIABLES: readonly VariableEntry[] = [
  { source: "agentctl's own token sources", names: words("AGENTCTL_ID_TOKEN* AGENTCTL_TOKEN_FILE*") },
  {
    source: "agentctl sandbox, src/sandbox/control.ts: it moves the clocks that a fence is measured by",
    names: words("AGENTCTL_SANDBOX_CONTROL_URL"),
  },
  {
    source: "actions/runner src/Runner.Worker/Handlers: both tokens are the job's system connection token",
    names: words("ACTIONS_ID_TOKEN_REQUEST_* ACTIONS_RUNTIME_TOKEN ACTIONS_RUNTIME_URL"),
  },
  { source: "GitLab CI/CD predefined variables before 17", names: words("CI_JOB_JWT*") },
  { source: "CircleCI OpenID Connect documentation", names: words("CIRCLE_OIDC_*") },
  {
    source: "Buildkite agent, `oidc request-token` and its Job API, which answers with the job's environment",
    names: words("BUILDKITE_AGENT_ACCESS_TOKEN BUILDKITE_AGENT_ENDPOINT BUILDKITE_AGENT_JOB_API_*"),
  },
  {
    source: "Azure Pipelines predefined variables, AzureCLI@2 and the agent's service connections",
    names: words("SYSTEM_ACCESSTOKEN SYSTEM_OIDCREQUESTURI ENDPOINT_AUTH_* idToken"),
  },
  { source: "Bitbucket Pipelines OIDC documentation", names: words("BITBUCKET_STEP_OIDC_TOKEN") },
  { source: "HCP Terraform workload identity documentation", names: words("TFC_WORKLOAD_IDENTITY_TOKEN*") },
  { source: "Vercel OIDC documentation; `vercel env pull` mints", names: words("VERCEL_OIDC_TOKEN VERCEL_TOKEN") },
  { source: "Fly.io OpenID Connect documentation", names: words("FLY_API_TOKEN") },
  { source: "Cursor cloud agent documentation", names: words("CURSOR_AGENT_SOCKET") },
  { source: "Nomad job specification, identity block: the named ones", names: words("NOMAD_TOKEN_*") },
  { source: "SPIFFE Workload Endpoint specification, section 4", names: words("SPIFFE_ENDPOINT_SOCKET") },
  {
    source: "the OpenID Connect pages of Semaphore, Spacelift, env0, Cirrus CI and Modal",
    names: words("SEMAPHORE_OIDC_TOKEN SPACELIFT_OIDC_TOKEN ENV0_OIDC_TOKEN CIRRUS_OIDC_TOKEN MODAL_IDENTITY_TOKEN"),
  },
];

/** What `env.mode: strict` lets through: the terminal and the machine, and the way to a cloud, never a secret. */
export const STRICT_VARIABLES: readonly VariableEntry[] = [
  {
    source: "POSIX.1-2024 XBD 8.3, and what shells and terminals add",
    names: words(`PATH HOME USER LOGNAME SHELL PWD OLDPWD TERM COLORTERM COLUMNS LINES LANG LANGUAGE LC_* TZ TZDIR
      TMPDIR TMP TEMP`),
  },
  { source: "no-color.org, force-color.org; CI services set CI", names: words("NO_COLOR FORCE_COLOR CLICOLOR* CI") },
  { source: "curl(1), ENVIRONMENT", names: words("HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY NO_PROXY") },
  {
    source: "the manuals of OpenSSL, botocore, requests, curl, Node, git, gcloud, gRPC, pip and Deno",
    names: words(`SSL_CERT_FILE SSL_CERT_DIR AWS_CA_BUNDLE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS
      GIT_SSL_CAINFO CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE GRPC_DEFAULT_SSL_ROOTS_FILE_PATH PIP_CERT DENO_CERT`),
  },
  {
    source: "botocore 1.43 configprovider.py: region, endpoints, retries and pager",
    names: words(`AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_ENDPOINT_URL_* AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
      AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_STS_REGIONAL_ENDPOINTS AWS_MAX_ATTEMPTS AWS_RETRY_MODE
      AWS_PAGER`),
  },
  {
    source: "gcloud 528 core/properties.py; azidentity (Go) 1.15 azidentity.go; Azure Service Operator's settings",
    names: words(`CLOUDSDK_API_ENDPOINT_OVERRIDES_* CLOUDSDK_COMPUTE_REGION CLOUDSDK_COMPUTE_ZONE AZURE_AUTHORITY_HOST
      AZURE_REGIONAL_AUTHORITY_NAME AZURE_RESOURCE_MANAGER_ENDPOINT AZURE_RESOURCE_MANAGER_AUDIENCE`),
  },
];

const isCredential = compileEntries([...AWS_VARIABLES, ...AZURE_VARIABLES, ...GOOGLE_VARIABLES]);
const isMinting = compileEntries(MINTING_VARIABLES);
const isStrict = compileEntries(STRICT_VARIABLES);

/** Whether an AWS, Azure or Google tool would take a credential or an identity from a variable of this name. */
export function isCredentialVariable(name: string): boolean {
  return isCredential(name);
}

/** Whether a variable of this name hands over the caller's identity, or the means to mint it again. */
export function isMintingVariable(name: string): boolean {
  return isMinting(name);
}

/** Whether `env.mode: strict` lets a variable of this name through. */
export function isStrictVariable(name: string): boolean {
  return isStrict(name);
}

/** A test for names: exactly or by prefix, in any case, and not excepted. It is asked for each variable of a run. */
function compileEntries(entries: readonly VariableEntry[]): (name: string) => boolean {
  const names = entries.flatMap((entry) => entry.names);
  const exact = new Set(names.filter((name) => !name.endsWith("*")));
  const prefixes = names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const excepted = new Set(entries.flatMap((entry) => entry.except ?? []));
  return (name) => {
    const wanted = name.toUpperCase();
    if (excepted.has(wanted)) return false;
    return exact.has(wanted) || prefixes.some((prefix) => wanted.startsWith(prefix));
  };
}

/** Names in the upper case that they are compared in. */
function words(text: string): readonly string[] {
  return text.toUpperCase().trim().split(/\s+/);
}

/** What `agentctl sandbox --help` says below its options. */
export const SANDBOX_HELP = `
By default it holds an AWS account (111122223333) with
  role agentctl-demo      reads and writes bucket demo; trusts repo:acme/site:ref:refs/heads/main
  role agentctl-chained   reads and writes bucket demo; trusts agentctl-demo
  role agentctl-revoker   puts and deletes the inline policies of those two; trusts as agentctl-demo does
  buckets demo and other
a tenant of Microsoft Entra with
  agentctl-demo           lists resource groups, and reads and writes container demo of storage account agentctldemo
  agentctl-granter        gives and takes back Reader, Storage Blob Data Reader and Storage Blob Data Contributor
  jit-one, jit-two        no role: a pool to give roles to
a Google Cloud project, agentctl-demo, with
  demo@…                  reads and writes bucket demo
  agentctl-granter@…      changes the policies of the project, of its buckets and of service account demo@…
  jit@…                   no role: what roles are given to; may request entitlement demo-entitlement
and, where run would find no agentctl.yaml, a sample one with the profiles
  demo, demo-readonly     what is called demo, in every cloud that has it
  demo-jit                Google Cloud: a role for the time of the lease, taken back at its end
  demo-jit-azure          Azure: a role for the time of the lease, which ends by itself
  demo-jit-azure-required Azure: the same, taken back as soon as it is five minutes old, which a short command waits for

A world file replaces any of these parts; a policy is written out or named by its JSON file:
  account: "123456789012"
  audiences: [sts.amazonaws.com]
  platform: github                   # or gitlab or kubernetes: how COMMAND finds its identity, and what it says
  claims: { sub: "repo:acme/site:environment:prod", environment: prod }
  issuer: { url: "https://login.example.com", jwks: login-keys.json }   # whose tokens are trusted, not the sandbox's own
  roles:
    arn:aws:iam::123456789012:role/deploy:
      policies: [deploy-policy.json]
      trust: deploy-trust.json
      inline_policies: { s3: s3-policy.json }
      permissions_boundary: { arn: "arn:aws:iam::123456789012:policy/boundary", document: boundary.json }
      max_session_duration: 3600
  iam_propagation_ms: 2000           # how long a change of a role's inline policies takes until it counts
  managed_policies: { "arn:aws:iam::aws:policy/ReadOnlyAccess": readonly.json }
  buckets: { site: { index.html: "<h1>hello</h1>" } }
  azure:
    tenant_id: …                     # likewise domain, subscription_id, resource_groups, token_lifetime (seconds)
    apps:
      00001111-aaaa-2222-bbbb-3333cccc4444:
        federated_credentials: [{ issuer: "https://token.actions.githubusercontent.com", subject: "repo:acme/site:environment:prod" }]
        roles: [{ role: Storage Blob Data Reader, scope: /subscriptions/…/resourceGroups/web }]
    storage_accounts: { acmesite: { resource_group: web, containers: { site: { index.html: "<h1>hello</h1>" } } } }
    role_propagation_ms: 60000       # how long a change of the role assignments takes until it counts
    role_minimum_age_ms: 300000      # how young an assignment cannot be taken back (by default as in Azure)
    role_release_ms: 120000          # how long after its end an assignment stands in the way of the same one
    role_provisioning_ms: 5000       # how long an assignment is being made before it is there
    pim_licence: true                # false: a tenant without assignments that end by themselves
    pim_policy: { requires_justification: true, max_assignment_days: 180 }
  gcp:
    project_id: acme                 # likewise project_number, bindings, and ancestors: who may do what above it
    providers:
      projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github:
        issuer: https://token.actions.githubusercontent.com
        attribute_mapping: { google.subject: assertion.sub }
        attribute_condition: assertion.repository_owner_id == "600000001"
    service_accounts: { deploy@acme.iam.gserviceaccount.com: { bindings: [{ role: roles/iam.workloadIdentityUser, members: ["principal://…"] }] } }
    roles: { projects/acme/roles/granter: [storage.buckets.getIamPolicy, storage.buckets.setIamPolicy] }
    entitlements:
      projects/acme/locations/global/entitlements/reader:
        max_request_seconds: 14400
        eligible_users: ["serviceAccount:deploy@acme.iam.gserviceaccount.com"]
        roles: [{ role: roles/storage.objectViewer }]
        approval: manual             # or none, the default
    policy_propagation_ms: 60000     # how long a change of a policy takes until it counts
    buckets: { site: { objects: { index.html: hello }, bindings: [{ role: roles/storage.objectViewer, members: ["serviceAccount:…"] }] } }
                                     # likewise uniform_bucket_level_access: false, where no conditions are taken
Where trust names the issuer of GitHub (https://token.actions.githubusercontent.com), of GitLab (https://gitlab.com) or
of a cluster (https://kubernetes.default.svc.cluster.local), the sandbox's own stands in for it on that platform.

COMMAND finds, besides what the clouds' SDKs read, AGENTCTL_SANDBOX_BLOB_URL, …_ARM_URL, …_GCS_URL and
…_TOKENINFO_URL, and AGENTCTL_SANDBOX_CONTROL_URL, which misbehaves on demand:
  curl -d '{"service":"sts","kind":"throttle","times":2}' $AGENTCTL_SANDBOX_CONTROL_URL/faults
  services: oidc, sts, iam, s3; entra, arm, blob; gcp-sts, iamcredentials, tokeninfo, gcs, cloudresourcemanager, gcp-iam, pam
  kinds: latency (latencyMs), throttle, error (status, code), garbage, cut, deny; also operation, after, times
  curl -X DELETE $AGENTCTL_SANDBOX_CONTROL_URL/faults; curl $AGENTCTL_SANDBOX_CONTROL_URL/requests
  curl -d '{"offsetMs":3600000}' $AGENTCTL_SANDBOX_CONTROL_URL/clock; with a service, for its clock alone
It tells what is given now, and has a change of rights take as long to arrive as it can in the clouds (by default it
counts at once):
  curl $AGENTCTL_SANDBOX_CONTROL_URL/iam      the inline policies of AWS's roles
  curl -d '{"propagationMs":5000}' $AGENTCTL_SANDBOX_CONTROL_URL/iam
  curl $AGENTCTL_SANDBOX_CONTROL_URL/azure    the role assignments
  curl -d '{"propagationMs":60000,"provisioningMs":5000,"releaseMs":120000}' $AGENTCTL_SANDBOX_CONTROL_URL/azure
    also minimumAgeMs: 0 has an assignment taken back at any age (300000, as in Azure, by default)
  curl $AGENTCTL_SANDBOX_CONTROL_URL/gcp      every policy, and the grants of Privileged Access Manager
  curl -d '{"propagationMs":120000,"activationMs":5000,"revocationMs":5000}' $AGENTCTL_SANDBOX_CONTROL_URL/gcp
  with a service (sts, s3, iam; arm, blob; gcs, cloudresourcemanager, …), propagationMs is that service's alone
And it writes as somebody else would: a policy of Google's (holder: projects/ID, folders/N, organizations/N,
projects/_/buckets/B or projects/-/serviceAccounts/EMAIL), or what the approver of a grant says:
  curl -d '{"holder":"projects/agentctl-demo","add":[{"role":"roles/viewer","members":["user:eve@example.com"]}]}' \\
    $AGENTCTL_SANDBOX_CONTROL_URL/gcp-policy; likewise "remove"
  curl -d '{"name":"projects/…/grants/…","decision":"approve"}' $AGENTCTL_SANDBOX_CONTROL_URL/gcp-grant; or deny

Examples:
  agentctl sandbox -- agentctl run -p demo -- aws s3 ls s3://demo
  agentctl sandbox -- agentctl run -p demo-jit -- gcloud storage cat gs://demo/hello.txt
  agentctl sandbox --world test/world.yaml -- make test
`;

/** A paragraph; rows of a term and what it means; or lines that are printed as they are. */
export type HelpBlock =
  | string
  | { readonly rows: readonly (readonly [term: string, meaning: string])[] }
  | { readonly lines: readonly string[] };

/** What `agentctl help NAME` explains, and a section of the man page. */
export interface HelpTopic {
  readonly name: string;
  /** A few words, without a full stop. */
  readonly summary: string;
  readonly blocks: readonly HelpBlock[];
}

/** All topics, in the order of the alphabet; none has the name of a command. */
export const HELP_TOPICS: readonly HelpTopic[] = [
  {
    name: "actors",
    summary: "human, automation or agent, and how that is told",
    blocks: [
      "What kind of caller agentctl was started by is on record, and a profile's `actors` refuses the others. It is declared with --actor KIND[:NAME], or else detected:",
      {
        rows: [
          ["agent", "a mark that an AI agent's tool leaves in the environment of its commands"],
          ["automation", "a variable of a CI service; or neither stdin nor stderr is a terminal"],
          ["human", "a terminal, and none of these marks"],
        ],
      },
      "For an agent the environment is strict, an allowlist, unless the profile's `env.mode` says otherwise. The caller's word and its environment are in its own hands: this tells honest callers apart and holds nobody off.",
    ],
  },
  {
    name: "config",
    summary: "the file agentctl.yaml: where it is found, what it may say",
    blocks: [
      "The project's file is the one given with --config, else $AGENTCTL_CONFIG, else the nearest agentctl.yaml from the working directory up to the root of the repository. A file that was found, and not named, must be yours or root's. Your own settings and profiles are in $XDG_CONFIG_HOME/agentctl/config.yaml (~/.config/agentctl/config.yaml).",
      {
        lines: [
          "version: 1",
          "profiles:",
          "  deploy-web:",
          "    description: Sync the built site",
          "    ttl: 15m",
          '    commands: ["aws s3 sync *"]',
          "    aws:",
          "      role_arn: arn:aws:iam::111122223333:role/agentctl-deploy",
          "      region: eu-central-1",
          "      session_policy: policies/deploy-web.json",
          '      revoker: { role_arn: "arn:aws:iam::111122223333:role/agentctl-revoker" }',
        ],
      },
      {
        rows: [
          ["ttl", "the lease's hard deadline, at most 12h (default 1h); roles given for it are taken back then too"],
          ["credential_ttl", "how long one credential lasts where the endpoint renews it (default 15m)"],
          ["deliver", "how the command reads its credentials: auto, env or endpoint (see `agentctl help delivery`)"],
          ["peer_check", "whether who asks the endpoint has to descend from the command: auto or require"],
          ["on_expiry, grace", "at the deadline: warn (the default), or stop: SIGTERM, and after the grace SIGKILL"],
          ["granter", "azure, gcp: who gives what follows and takes it back; `agentctl setup` describes it"],
          ["gcp.bindings, gcp.entitlement", "roles for the time of the lease, or a grant of Privileged Access Manager"],
          ["azure.assignments", "roles for the time of the lease; client_ids: a pool, so that leases need not wait"],
          ["azure.allow_unbounded", "true: give them without an end where the tenant has no licence for one"],
          [
            "ready",
            "azure, gcp: permissions that have to work before the command starts and its ttl begins; at, timeout (default 5m)",
          ],
          ["revoke", "whether grants are taken back at the end: auto (where it is set up), required or none"],
          ["aws.revoker", "the role that takes AWS sessions back; `agentctl setup aws` describes it"],
          [
            "aws.accept_escalation",
            "true: the revoker is used also where the role has no permissions boundary (default false)",
          ],
          ["actors, commands", "who may use the profile, and for which commands"],
          ["extends", "profiles of the same file to start from"],
          ["identity.source", "where the OIDC identity comes from (default auto)"],
          ["env", "mode (cloud or strict), pass and set: the command's environment"],
          ["aws, azure, gcp", "what to be in each cloud, and how narrowly"],
        ],
      },
      "A project's file may have been written by an agent or a pull request. So it can name no endpoint and no command to run for an identity; its env.pass re-admits no credential, and its env.set sets nothing that loads code or redirects a connection. `agentctl profile lint` says what is wrong, with line and column.",
    ],
  },
  {
    name: "delivery",
    summary: "how the command reads its credentials",
    blocks: [
      "`env` puts them into the command's environment. `endpoint` serves them on 127.0.0.1 and renews them while the lease lives, in the protocols that the clouds' own tools speak. `auto`, the default, takes the endpoint for Azure and Google Cloud, and for AWS when keys cannot last as long as the lease.",
      {
        rows: [
          [
            "AWS, env",
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION, the region",
          ],
          ["AWS, endpoint", "AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
          ["Azure, env", "AZURE_ACCESS_TOKEN; the tenant, client and subscription"],
          [
            "Azure, endpoint",
            "IDENTITY_ENDPOINT and IDENTITY_HEADER, ARM_MSI_ENDPOINT, AZD_AUTH_ENDPOINT, AZURE_CONFIG_DIR",
          ],
          ["Google Cloud, env", "CLOUDSDK_AUTH_ACCESS_TOKEN, GOOGLE_OAUTH_ACCESS_TOKEN, the project"],
          ["Google Cloud, endpoint", "GOOGLE_APPLICATION_CREDENTIALS and CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"],
        ],
      },
      "Everything else from which an AWS, Azure or Google tool would take a credential, or could mint the caller's identity again, is removed from the command's environment, and files and metadata services that a tool would fall back to are replaced by empty ones. --dry-run lists the names; --pass-env NAME keeps one after all.",
    ],
  },
  {
    name: "endings",
    summary: "how a grant ends, and what each word promises",
    blocks: [
      "A word is never stronger than what was observed.",
      {
        rows: [
          [
            "revoked",
            "taken back, and the lease's own credential was then seen to be refused because of it: where, and after how long, is on the receipt",
          ],
          [
            "removed",
            "taken back, and not seen to work yet: it takes effect when the cloud has spread it; or its principal has the permission by something else too. Until the time that is told calls may work",
          ],
          ["fenced", "a time bound inside the credential has passed or will at T: authorized calls stop then"],
          [
            "expires",
            "the cloud ends it at T, nothing earlier; or it is queued, to be taken back as soon as the cloud allows that",
          ],
          ["failed", "what should have been taken back was not: what was tried, and until when it can be used"],
        ],
      },
      "AWS sessions are fenced: their own session policy denies everything after the lease's deadline. Where the profile names a `revoker`, they are taken back when the command ends. GetCallerIdentity, and logins that rest on it, work until the keys' own expiry; the receipt has both times.",
      "Tokens of Azure and Google Cloud are not taken back, and expire. What is taken back there is what was given for the lease: `bindings`, an `entitlement`, `assignments`. The line then says until when the token itself lives, for whatever else its principal may do. Only what `ready` names can be seen to be gone, and be `revoked`.",
      "Azure takes nothing back that was given less than five minutes ago. Then the ending is `expires`, with the time from which it can be taken back; the lease is `queued`, and its watchdog waits for that, or agentctl itself with `revoke: required`, up to five minutes. Where the machine is gone by then, it ends by itself at the time of `expires`.",
      "A lease is in the ledger until it has ended. `agentctl lease revoke` ends one early. When agentctl is killed, its watchdog ends the command and the lease; where that was killed as well, `agentctl lease sweep` does: let a step of the CI job that always runs call it. It waits for a watchdog that is at work. `agentctl lease show` tells a lease's story.",
    ],
  },
  {
    name: "environment",
    summary: "the variables that agentctl reads, and those it sets",
    blocks: [
      "Read:",
      {
        rows: [
          ["AGENTCTL_CONFIG", "the configuration file, where --config names none"],
          ["AGENTCTL_STATE_DIR", "where the audit log and the ledger are (see `agentctl help files`)"],
          ["AGENTCTL_ID_TOKEN", "an OIDC ID token; with _AWS, _AZURE or _GCP behind it, for that cloud"],
          ["AGENTCTL_TOKEN_FILE", "a file with one, read again at each use; _AWS, _AZURE, _GCP likewise"],
          ["AGENTCTL_LOGIN", "which of several logins is yours (see `agentctl login`)"],
          ["AGENTCTL_CODE_CACHE", "off: keep no compiled code in the cache directory"],
          ["XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME", "the base directories, where they are absolute"],
          [
            "AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_IAM, AWS_ENDPOINT_URL, AZURE_AUTHORITY_HOST, AZURE_RESOURCE_MANAGER_ENDPOINT, CLOUDSDK_API_ENDPOINT_OVERRIDES_ with STS, IAMCREDENTIALS, CLOUDRESOURCEMANAGER, STORAGE, IAM or PRIVILEGEDACCESSMANAGER behind it",
            "other services than the clouds' own: HTTPS unless they are on loopback, told on stderr, and on record",
          ],
        ],
      },
      "Not read: HTTPS_PROXY, ALL_PROXY and their kin. agentctl itself asks the clouds and the token services directly; the command's tools go by the proxy, this machine's own addresses excepted.",
      "Set for the command:",
      {
        rows: [
          ["AGENTCTL_LEASE_ID", "the lease, as in the audit log"],
          ["AGENTCTL_PROFILE", "the profile's name"],
          ["AGENTCTL_EXPIRES_AT", "the lease's deadline, RFC 3339 in UTC"],
        ],
      },
      "The credentials' own variables are in `agentctl help delivery`, those that an identity is found by in `agentctl help identity`. Within `agentctl sandbox`, AGENTCTL_SANDBOX_CONTROL_URL and its kin lead to the sandbox.",
    ],
  },
  {
    name: "exit-codes",
    summary: "what agentctl exits with",
    blocks: [
      "The command's own code always wins; 128+n when signal n ended it. agentctl's own codes come with an `error[CODE]` line on stderr, and where there is something to do, a hint.",
      {
        rows: [
          ["64", "wrong usage"],
          [
            "69",
            "a service could not be reached, after retries; or rights for the lease did not work in time (NOT_READY: give `ready` more timeout), or another lease has them (ASSIGNMENT_BUSY: try again, or name a pool of client_ids)",
          ],
          ["70", "a defect in agentctl"],
          [
            "74",
            "the state directory, a private file, the receipt, the audit log or stdout could not be written: before the command starts; afterwards only if it succeeded",
          ],
          ["76", "an answer or a token that makes no sense, or an audit log that was changed"],
          [
            "77",
            "denied, by policy or by the cloud; or Google takes no further binding of a role for the same principal (BINDING_LIMIT: other leases have to end first)",
          ],
          ["78", "wrong configuration, profile or platform"],
          [
            "79",
            "the command succeeded, the profile says `revoke: required`, and a grant could not be taken back, or is queued since Ctrl-C ended the waiting; or `lease revoke` or `lease sweep` could not end a lease",
          ],
          ["126", "the command cannot be executed"],
          ["127", "the command was not found"],
        ],
      },
    ],
  },
  {
    name: "files",
    summary: "where agentctl keeps what it keeps",
    blocks: [
      {
        rows: [
          ["agentctl.yaml", "the project's profiles (see `agentctl help config`)"],
          ["$XDG_CONFIG_HOME/agentctl/config.yaml", "your own settings and profiles; else below ~/.config"],
          ["$AGENTCTL_STATE_DIR", "the state; else $XDG_STATE_HOME/agentctl, else ~/.local/state/agentctl"],
          ["STATE/audit/audit.jsonl", "the audit log, a chain of hashes (`agentctl audit verify`)"],
          ["STATE/leases/ID.json", "the ledger: the open leases (`agentctl lease list`); no secrets"],
          [
            "STATE/leases/ID.revoke, ID.lock",
            "somebody asks for the lease's end; somebody else than its agentctl ends it",
          ],
          ["STATE/run/ID/", "a lease's private files, removed at its end"],
          ["STATE/logins/", "the logins; with `--store file` their tokens too, else those are in the keychain"],
          ["$XDG_CACHE_HOME/agentctl", "compiled code, which may be deleted; else ~/.cache/agentctl"],
        ],
      },
      "What is in the state directory can be read by you alone.",
    ],
  },
  {
    name: "identity",
    summary: "where the OIDC identity comes from",
    blocks: [
      "The sources are looked at in this order, and the first that finds something is taken; --identity NAME, or the profile's `identity.source`, takes one and asks no other.",
      {
        rows: [
          ["env", "AGENTCTL_ID_TOKEN, or AGENTCTL_ID_TOKEN_AWS, _AZURE or _GCP: the token whose audience fits"],
          ["token-file", "AGENTCTL_TOKEN_FILE, or with _AWS, _AZURE or _GCP: the same in a file"],
          ["github-actions", "a job with `permissions: id-token: write`: a token minted for each audience"],
          ["gitlab", "a job with `id_tokens`, in variables of any name: one for each audience"],
          ["kubernetes", "tokens projected into the pod, AWS_WEB_IDENTITY_TOKEN_FILE, AZURE_FEDERATED_TOKEN_FILE"],
          ["login", "whoever has logged in with `agentctl login`; login:NAME is a certain login"],
        ],
      },
      "`agentctl whoami` shows what each source sees and what the token says, without the token. Each cloud wants a token for its own audience: sts.amazonaws.com, api://AzureADTokenExchange, and for Google Cloud the provider's own name; a profile's `audience` says otherwise, with one or a list: the first that a token can be had for. A login's tokens are for its client id. The command never gets the caller's token, nor the means to mint one.",
    ],
  },
];

import { explainCloudValue } from "../config/index.js";
import type { CloudName } from "../core/profile.js";

/** One value of a cloud's block that a first profile is written with. */
export interface ValueKind {
  readonly cloud: CloudName;
  /** Its key in agentctl.yaml; its flag is the same with dashes. */
  readonly key: string;
  /** What it is, as a prompt and a help line have it. */
  readonly title: string;
  readonly example: string;
  readonly required: boolean;
}

/** The one list, in the order in which they are asked for and written. */
export const VALUE_KINDS: readonly ValueKind[] = [
  {
    cloud: "aws",
    key: "role_arn",
    title: "the role to assume",
    example: "arn:aws:iam::111122223333:role/agentctl-deploy",
    required: true,
  },
  { cloud: "aws", key: "region", title: "the region", example: "eu-central-1", required: false },
  {
    cloud: "azure",
    key: "tenant_id",
    title: "the Microsoft Entra tenant",
    example: "aaaabbbb-0000-cccc-1111-dddd2222eeee",
    required: true,
  },
  {
    cloud: "azure",
    key: "client_id",
    title: "the application's client id",
    example: "00001111-aaaa-2222-bbbb-3333cccc4444",
    required: true,
  },
  {
    cloud: "azure",
    key: "subscription_id",
    title: "the subscription",
    example: "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
    required: false,
  },
  {
    cloud: "gcp",
    key: "workload_identity_provider",
    title: "the workload identity provider",
    example: "projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github",
    required: true,
  },
  {
    cloud: "gcp",
    key: "service_account",
    title: "the service account",
    example: "deploy@my-project.iam.gserviceaccount.com",
    required: false,
  },
  { cloud: "gcp", key: "project_id", title: "the project", example: "my-project", required: false },
];

/** Values by their keys, which are the same in no two clouds. */
export type Values = Readonly<Record<string, string>>;

export function flagOf(kind: Pick<ValueKind, "key">): string {
  return `--${kind.key.replaceAll("_", "-")}`;
}

/** What is wrong with a value, in words that go on after its name; undefined when nothing is. */
export function explainValue(kind: ValueKind, value: string): string | undefined {
  return explainCloudValue(kind.cloud, kind.key, value);
}

/** Only those that `profile lint` would let through: what is found in files is nobody's promise. */
export function keepValid(values: Readonly<Record<string, string | undefined>>): Values {
  const kept = VALUE_KINDS.flatMap((kind) => {
    const value = values[kind.key];
    return value === undefined || value === "" || explainValue(kind, value) !== undefined ? [] : [[kind.key, value]];
  });
  return Object.fromEntries(kept);
}

import type { Channel, CloudName } from "../core/profile.js";

/** A program of cloud tasks, and what of each cloud's grants it finds by itself. */
export interface ToolSight {
  readonly name: string;
  readonly clouds: Readonly<Partial<Record<CloudName, Readonly<Record<Channel, boolean>>>>>;
  /** Where it takes another tool's word. */
  readonly note?: string;
}

const FINDS = { env: true, endpoint: true } as const;
const BY_ENDPOINT = { env: false, endpoint: true } as const;

/** What test/clients tries; of azd and tofu, what their documentation says of the same protocols. */
export const TOOLS: readonly ToolSight[] = [
  { name: "aws", clouds: { aws: FINDS } },
  { name: "az", clouds: { azure: BY_ENDPOINT } },
  { name: "azd", clouds: { azure: BY_ENDPOINT } },
  { name: "gcloud", clouds: { gcp: FINDS } },
  { name: "terraform", clouds: { aws: FINDS, azure: BY_ENDPOINT, gcp: FINDS } },
  { name: "tofu", clouds: { aws: FINDS, azure: BY_ENDPOINT, gcp: FINDS } },
  {
    name: "kubectl",
    clouds: {},
    note: "takes what its kubeconfig says; a plugin that runs one of the above finds what that finds",
  },
];

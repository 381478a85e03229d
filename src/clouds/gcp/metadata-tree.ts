import type { GcpSettings } from "../../core/profile.js";

/** What the metadata server knows: a value, a list, or what stands below. */
export type MetadataNode = string | readonly string[] | MetadataDirectory;
export interface MetadataDirectory {
  readonly [name: string]: MetadataNode;
}

export const ACCOUNTS_PATH = ["computeMetadata", "v1", "instance", "service-accounts"] as const;

/**
 * The part of Compute Engine's tree that Google's libraries and gcloud read; what agentctl cannot know, such as the
 * zone, is not there. The number is that of the pool's project: the profile names no other.
 */
export function metadataTree(settings: GcpSettings): MetadataDirectory {
  const { projectId, scopes } = settings;
  const email = accountOf(settings);
  const account = { aliases: ["default"], email, scopes };
  const number = projectNumberOf(settings);
  return {
    computeMetadata: {
      v1: {
        instance: { "service-accounts": { default: account, [email]: account } },
        project: {
          ...(number !== undefined && { "numeric-project-id": number }),
          ...(projectId !== undefined && { "project-id": projectId }),
        },
        universe: { "universe-domain": "googleapis.com" },
      },
    },
  };
}

/** The service account; of a federated identity, which has none, the name of its pool as Google writes it for workloads. */
export function accountOf({ serviceAccount, workloadIdentityProvider }: GcpSettings): string {
  if (serviceAccount !== undefined) return serviceAccount;
  const [, number, , , , pool] = workloadIdentityProvider.split("/");
  return `${pool}.global.${number}.workload.id.goog`;
}

function projectNumberOf({ workloadIdentityProvider }: GcpSettings): string | undefined {
  return /^projects\/(\d+)\//.exec(workloadIdentityProvider)?.[1];
}

/** What stands at a path, or undefined. */
export function nodeAt(root: MetadataDirectory, segments: readonly string[]): MetadataNode | undefined {
  let node: MetadataNode | undefined = root;
  for (const segment of segments) {
    if (!isDirectory(node) || !Object.hasOwn(node, segment)) return undefined;
    node = node[segment];
  }
  return node;
}

export function isDirectory(node: MetadataNode | undefined): node is MetadataDirectory {
  return typeof node === "object" && !Array.isArray(node);
}

/** One name a line, that of a directory with a slash behind it. */
export function listDirectory(directory: MetadataDirectory): string {
  const lines = Object.entries(directory).map(([name, node]) => (isDirectory(node) ? `${name}/\n` : `${name}\n`));
  return lines.join("");
}

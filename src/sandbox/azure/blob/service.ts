import type { FailureWords, Service, ServiceAnswer, ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import type { Caller } from "../arm-caller.js";
import { judgeAccess } from "../authorization/access.js";
import type { AzureContext } from "../context.js";
import { authenticateBlobCaller } from "./authenticate.js";
import { getBlob, putBlob } from "./blobs.js";
import { listBlobs, listContainers } from "./list.js";
import type { BlobStore, StoredBlob } from "./store.js";
import { type BlobTarget, nameBlobOperation, readBlobTarget } from "./target.js";
import { blobError } from "./xml.js";

const BLOB_DATA = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers";

/** The permission that each operation needs, and whether it is one on data. */
const ACTIONS: Readonly<Record<string, readonly [action: string, isDataAction: boolean]>> = {
  ListContainers: [`${CONTAINERS}/read`, false],
  GetContainerProperties: [`${CONTAINERS}/read`, false],
  ListBlobs: [`${BLOB_DATA}/read`, true],
  GetBlob: [`${BLOB_DATA}/read`, true],
  GetBlobProperties: [`${BLOB_DATA}/read`, true],
  PutBlob: [`${BLOB_DATA}/write`, true],
  DeleteBlob: [`${BLOB_DATA}/delete`, true],
};

const FAILURES: FailureWords = {
  throttle: new WireError(503, "ServerBusy", "The server is busy."),
  error: new WireError(500, "InternalError", "The server encountered an internal error. Please retry the request."),
  deny: permissionMismatch(),
};

/** A little Azure Blob Storage: containers that are there from the start; block blobs listed, read, written, deleted. */
export function createBlobService(context: AzureContext, store: BlobStore): Service {
  return {
    name: "blob",
    failures: FAILURES,
    nameOperation: nameBlobOperation,
    answer: async (request, operation, note) => {
      const target = readBlobTarget(request);
      note({ parameters: { ...target } });
      const caller = await authenticateBlobCaller(request, target.account, context);
      note({ principal: caller.clientId });
      const answer = answerAs(caller, target, request, operation, context, store);
      const common = { "x-ms-version": request.headers["x-ms-version"] ?? "", "x-ms-request-id": request.requestId };
      return { ...answer, headers: { ...answer.headers, ...common } };
    },
    refuse: (error, request) => blobError(error, request, context.now("blob")),
  };
}

function answerAs(
  caller: Caller,
  { account, container, blob }: BlobTarget,
  request: ServiceRequest,
  operation: string,
  context: AzureContext,
  store: BlobStore,
): ServiceAnswer {
  const access = ACTIONS[operation];
  if (access === undefined)
    throw new WireError(405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.");
  const [action, isDataAction] = access;
  const resource = resourceIdOf(account, container, context);
  const attributes = { [`Resource:${CONTAINERS}:name`]: container, [`Resource:${BLOB_DATA}:path`]: blob };
  const roles = context.assignments.seenBy("blob", caller.objectId);
  if (judgeAccess(roles, { action, isDataAction, resource, attributes }) !== "allowed") throw permissionMismatch();
  const endpoint = `${context.origin}/${account}/`;
  const containers = store.get(account) ?? new Map();
  if (container === undefined) return listContainers(endpoint, containers.keys());
  const blobs = containers.get(container);
  if (blobs === undefined) throw new WireError(404, "ContainerNotFound", "The specified container does not exist.");
  if (operation === "ListBlobs") return listBlobs(endpoint, container, blobs, request);
  if (blob === undefined) return { status: 200, headers: { etag: '"0x8D0000000000000"' } };
  return answerForBlob(blobs, blob, request, operation, context.now("blob"));
}

function answerForBlob(
  blobs: Map<string, StoredBlob>,
  name: string,
  request: ServiceRequest,
  operation: string,
  now: number,
): ServiceAnswer {
  if (operation === "PutBlob") return putBlob(blobs, name, request, now);
  const blob = blobs.get(name);
  if (blob === undefined) throw new WireError(404, "BlobNotFound", "The specified blob does not exist.");
  if (operation !== "DeleteBlob") return getBlob(blob, request);
  blobs.delete(name);
  return { status: 202 };
}

function resourceIdOf(account: string, container: string | undefined, { world }: AzureContext): string {
  const group = world.storageAccounts[account]?.resourceGroup ?? "";
  const id = `/subscriptions/${world.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Storage/storageAccounts/${account}`;
  return container === undefined ? id : `${id}/blobServices/default/containers/${container}`;
}

function permissionMismatch(): WireError {
  const text = "This request is not authorized to perform this operation using this permission.";
  return new WireError(403, "AuthorizationPermissionMismatch", text);
}

import { groupNames, type ListEntry } from "../../listing.js";
import { queryValue, type ServiceAnswer, type ServiceRequest } from "../../service.js";
import type { StoredBlob } from "./store.js";
import { listAnswer, tag } from "./xml.js";

const MAX_RESULTS = 5000;

export function listContainers(endpoint: string, containers: Iterable<string>): ServiceAnswer {
  const modified = tag("Last-Modified", new Date(0).toUTCString());
  const written = [...containers].sort().map((name) => {
    const properties = `<Properties>${modified}${tag("Etag", '"0x8D0000000000000"')}</Properties>`;
    return `<Container>${tag("Name", name)}${properties}</Container>`;
  });
  return listAnswer({ ServiceEndpoint: endpoint }, `<Containers>${written.join("")}</Containers><NextMarker/>`);
}

/** The blobs of a container by name; the marker is the name to go on from. */
export function listBlobs(
  endpoint: string,
  container: string,
  blobs: ReadonlyMap<string, StoredBlob>,
  request: ServiceRequest,
): ServiceAnswer {
  const prefix = queryValue(request, "prefix") ?? "";
  const delimiter = queryValue(request, "delimiter") ?? "";
  const marker = queryValue(request, "marker") ?? "";
  const asked = Number(queryValue(request, "maxresults") ?? MAX_RESULTS);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_RESULTS) : MAX_RESULTS;
  const entries = groupNames(blobs.keys(), prefix, delimiter).filter((entry) => textOf(entry) >= marker);
  const next = entries[limit];
  const content = [
    tag("Prefix", prefix),
    delimiter === "" ? "" : tag("Delimiter", delimiter),
    tag("MaxResults", limit),
    `<Blobs>${entries
      .slice(0, limit)
      .map((entry) => renderEntry(entry, blobs))
      .join("")}</Blobs>`,
    next === undefined ? "<NextMarker/>" : tag("NextMarker", textOf(next)),
  ];
  return listAnswer({ ServiceEndpoint: endpoint, ContainerName: container }, content.join(""));
}

function textOf(entry: ListEntry): string {
  return "name" in entry ? entry.name : entry.prefix;
}

function renderEntry(entry: ListEntry, blobs: ReadonlyMap<string, StoredBlob>): string {
  if ("prefix" in entry) return `<BlobPrefix>${tag("Name", entry.prefix)}</BlobPrefix>`;
  const blob = blobs.get(entry.name);
  if (blob === undefined) return "";
  const modified = new Date(blob.modifiedAt).toUTCString();
  const properties = [
    tag("Creation-Time", modified),
    tag("Last-Modified", modified),
    tag("Etag", blob.etag.replaceAll('"', "")),
    tag("Content-Length", blob.body.length),
    tag("Content-Type", blob.contentType),
    tag("BlobType", "BlockBlob"),
    tag("AccessTier", "Hot"),
    tag("LeaseStatus", "unlocked"),
    tag("LeaseState", "available"),
    tag("ServerEncrypted", "true"),
  ];
  return `<Blob>${tag("Name", entry.name)}<Properties>${properties.join("")}</Properties></Blob>`;
}

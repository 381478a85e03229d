// Reads an object until a file appears, in one process, with one client and the credentials that it finds by itself.
// The first failure ends it. Arguments: the client, BUCKET/NAME, and the file.
const fs = require("node:fs");
const { text } = require("node:stream/consumers");
const { setTimeout: sleep } = require("node:timers/promises");

const { AGENTCTL_SANDBOX_GCS_URL: apiEndpoint, AGENTCTL_SANDBOX_BLOB_URL: blobUrl } = process.env;
const projectId = process.env.GOOGLE_CLOUD_PROJECT;

function useAws(Bucket, Key) {
  const { GetObjectCommand, S3Client } = require("@aws-sdk/client-s3");
  const s3 = new S3Client({});
  return async () => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString();
}

function useStorage(bucket, name) {
  const { Storage } = require("@google-cloud/storage");
  // Else it takes an endpoint of one's own for an emulator and sends no token.
  const storage = new Storage({ apiEndpoint, useAuthWithCustomEndpoint: true, projectId });
  return () => storage.bucket(bucket).file(name).download();
}

function useGoogle(authClient, bucket, name) {
  const url = `${apiEndpoint}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`;
  return async () => (await authClient()).request({ url, responseType: "text" });
}

function useGoogleAuth(bucket, name) {
  const { GoogleAuth } = require("google-auth-library");
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/devstorage.read_only"] });
  return useGoogle(() => auth.getClient(), bucket, name);
}

/** As on one of Google's machines: asks the metadata server and nothing else. */
function useCompute(bucket, name) {
  const { Compute } = require("google-auth-library");
  const compute = new Compute();
  return useGoogle(async () => compute, bucket, name);
}

function useAzure(credential, container, name) {
  const { BlobServiceClient } = require("@azure/storage-blob");
  const blobs = new BlobServiceClient(blobUrl, credential);
  const blob = blobs.getContainerClient(container).getBlobClient(name);
  return async () => text((await blob.download()).readableStreamBody);
}

const CLIENTS = {
  aws: useAws,
  storage: useStorage,
  "google-auth": useGoogleAuth,
  compute: useCompute,
  DefaultAzureCredential: (...target) => useAzure(new (require("@azure/identity").DefaultAzureCredential)(), ...target),
  ManagedIdentityCredential: (...target) => {
    const { ManagedIdentityCredential } = require("@azure/identity");
    return useAzure(new ManagedIdentityCredential({ clientId: process.env.AZURE_CLIENT_ID }), ...target);
  },
};

async function main([client, target, stop]) {
  const read = CLIENTS[client](...target.split("/"));
  while (!fs.existsSync(stop)) {
    await read();
    await sleep(400);
  }
  console.log("done");
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`! ${error.name}: ${error.message}`);
  process.exitCode = 1;
});

// Azure's SDK for JavaScript with nothing of agentctl, given the token by hand; prints a line for each of its arguments.
const { text: readText } = require("node:stream/consumers");
const { BlobServiceClient } = require("@azure/storage-blob");

/** Which variable has the token: a test can hand over one that is for something else. */
const token = process.env[process.env.TOKEN_VARIABLE ?? "AZURE_ACCESS_TOKEN"];
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 60_000 }) };
const blobs = new BlobServiceClient(process.env.BLOB_URL ?? process.env.AGENTCTL_SANDBOX_BLOB_URL, credential);

const tasks = {
  make: async (container) => {
    await blobs.createContainer(container);
    return "ok";
  },
  put: async (container, name, text) => {
    await blobs.getContainerClient(container).getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
    return "ok";
  },
  get: async (container, name) =>
    readText((await blobs.getContainerClient(container).getBlobClient(name).download()).readableStreamBody),
  names: async (container, prefix) => {
    const found = [];
    for await (const blob of blobs.getContainerClient(container).listBlobsFlat({ prefix })) found.push(blob.name);
    return found.join(" ");
  },
};

async function main() {
  for (const task of process.argv.slice(2)) {
    const [, verb, container, name, text] = /^(\w+):([^/]+)\/([^=]*)=?(.*)$/.exec(task);
    const result = await tasks[verb](container, name, text).catch((error) => `! ${error.code}: ${error.message}`);
    process.stdout.write(`${verb}: ${result.trim().replace(/\s+/g, " ")}\n`);
  }
}

main();

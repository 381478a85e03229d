// Google's SDK for JavaScript with nothing of agentctl, given the token by hand; prints a line for each of its arguments.
const { OAuth2Client, Storage } = loadGoogle();

const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: process.env.GOOGLE_OAUTH_ACCESS_TOKEN });
const storage = new Storage({
  apiEndpoint: process.env.AGENTCTL_SANDBOX_GCS_URL,
  // Else it takes an endpoint of one's own for an emulator and sends no token.
  useAuthWithCustomEndpoint: true,
  projectId: process.env.GOOGLE_CLOUD_PROJECT,
  authClient,
});

const tasks = {
  put: async (bucket, name, text) => {
    // An upload in several requests sends no token to an endpoint of one's own, whatever the option above says.
    await storage.bucket(bucket).file(name).save(text, { resumable: false });
    return "ok";
  },
  get: async (bucket, name) => (await storage.bucket(bucket).file(name).download()).toString(),
  names: async (bucket, prefix) => {
    const [files] = await storage.bucket(bucket).getFiles({ prefix });
    return files.map((file) => file.name).join(" ");
  },
};

/** The storage client comes with a version of the auth library of its own, whose client it takes. */
function loadGoogle() {
  const inside = { paths: [require.resolve("@google-cloud/storage")] };
  return { ...require("@google-cloud/storage"), ...require(require.resolve("google-auth-library", inside)) };
}

async function main() {
  for (const task of process.argv.slice(2)) {
    const [, verb, bucket, name, text] = /^(\w+):([^/]+)\/([^=]*)=?(.*)$/.exec(task);
    const result = await tasks[verb](bucket, name, text).catch((error) => `! ${error.code}: ${error.message}`);
    process.stdout.write(`${verb}: ${result.trim().replace(/\s+/g, " ")}\n`);
  }
}

main();

// Google's library for JavaScript with the credentials that it finds by itself; prints what it reads at a URL.
const { GoogleAuth } = require("google-auth-library");

async function main() {
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });
  const client = await auth.getClient();
  const answer = await client.request({ url: process.argv[2], responseType: "text" });
  return `${answer.status} ${answer.data.trim()}`;
}

main()
  .catch((error) => `! ${error.message}`)
  .then((line) => console.log(line));

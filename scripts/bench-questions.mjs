// The questions that a tool in a lease asks the endpoint, from the variables that it finds, as bytes ready to be sent.
import fs from "node:fs";

const { env } = process;
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const RESOURCE = "https://management.azure.com";

const finders = {
  bare: (url) => get(url),
  aws: () => {
    const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
    // aws-vault's server hands its token out in a variable.
    const authorization = file === undefined ? env.AWS_CONTAINER_AUTHORIZATION_TOKEN : fs.readFileSync(file, "utf8");
    return get(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { authorization });
  },
  azure: () => {
    const url = `${env.IDENTITY_ENDPOINT}?${new URLSearchParams({ "api-version": "2019-08-01", resource: RESOURCE })}`;
    return get(url, { "x-identity-header": env.IDENTITY_HEADER });
  },
  gcp: async () => {
    const account = JSON.parse(fs.readFileSync(env.GOOGLE_APPLICATION_CREDENTIALS, "utf8"));
    const subject = await fetch(account.credential_source.url, { headers: account.credential_source.headers });
    const form = {
      grant_type: TOKEN_EXCHANGE,
      audience: account.audience,
      subject_token: await subject.text(),
      subject_token_type: account.subject_token_type,
      scope: "https://www.googleapis.com/auth/cloud-platform",
    };
    return post(account.token_url, new URLSearchParams(form).toString());
  },
};

/** `bare=URL`, `aws`, `azure` or `gcp` (the exchange alone: the subject token is fetched before). */
export function findQuestion(target) {
  const [name, ...rest] = target.split("=");
  return finders[name](rest.join("="));
}

function get(url, headers = {}) {
  return question("GET", url, headers, "");
}

function post(url, body) {
  const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": body.length };
  return question("POST", url, headers, body);
}

function question(method, url, headers, body) {
  const { host, hostname, port, pathname, search } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  return { hostname, port: Number(port), bytes: Buffer.from(head + body) };
}

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetadataServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The same without the scheme. */
  readonly host: string;
  /** What was asked of it so far, and forgets it. */
  takeRequests(): string[];
  close(): Promise<void>;
}

/** The access key id, and for the other clouds the token, of whoever is on this machine and not in this lease. */
export const AMBIENT_KEY = "AKIAAMBIENTAMBIENT00";
export const AMBIENT_TOKEN = "ambient-access-token";

const AWS_KEYS = {
  Code: "Success",
  Type: "AWS-HMAC",
  AccessKeyId: AMBIENT_KEY,
  SecretAccessKey: "ambient-secret",
  Token: "ambient-session",
  Expiration: "2099-01-01T00:00:00Z",
  LastUpdated: "2026-01-01T00:00:00Z",
};
const TOKEN = { access_token: AMBIENT_TOKEN, token_type: "Bearer", expires_in: 3600, expires_on: "4070908800" };
const ACCOUNT = {
  email: "ambient@example.test",
  aliases: ["default"],
  scopes: ["https://www.googleapis.com/auth/cloud-platform"],
};

/** By the beginning of the path, the first that fits. */
const ANSWERS: readonly (readonly [string, string | object])[] = [
  ["/container", AWS_KEYS],
  ["/latest/api/token", "a-session"],
  ["/latest/meta-data/iam/security-credentials/ambient", AWS_KEYS],
  ["/latest/meta-data/iam/security-credentials", "ambient"],
  ["/msi/token", TOKEN],
  ["/computeMetadata/v1/project/project-id", "ambient-project"],
  ["/computeMetadata/v1/universe/universe-domain", "googleapis.com"],
  ["/computeMetadata/v1/instance/service-accounts/default/token", TOKEN],
  ["/computeMetadata/v1/instance/service-accounts/default/", ACCOUNT],
  ["/", "metadata"],
];

/** Credentials as a machine in a cloud, a container or an app service has them for whoever asks. */
export async function startMetadataServer(): Promise<MetadataServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const target = request.url ?? "/";
    requests.push(`${request.method} ${target}`);
    const answer = ANSWERS.find(([path]) => target.startsWith(path))?.[1] ?? "";
    const isText = typeof answer === "string";
    response.writeHead(200, {
      "content-type": isText ? "text/plain" : "application/json",
      "metadata-flavor": "Google",
      "x-aws-ec2-metadata-token-ttl-seconds": "21600",
    });
    response.end(isText ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    takeRequests: () => requests.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

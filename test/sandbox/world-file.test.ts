import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWorldFile } from "../../src/sandbox/world-file.js";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-world-"));
  fs.writeFileSync(path.join(dir, "read.json"), '{"Version":"2012-10-17","Statement":[]}');
  fs.writeFileSync(path.join(dir, "broken.json"), "{");
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function read(text: string): ReturnType<typeof readWorldFile> {
  const file = path.join(dir, "world.yaml");
  fs.writeFileSync(file, text);
  return readWorldFile(file, { fs });
}

const ROLE = "arn:aws:iam::123456789012:role/deploy";

describe("a world file", () => {
  it("gives the parts that it names, with policies written out or read from beside it", () => {
    const world = read(`
account: "123456789012"
claims: { environment: prod }
roles:
  ${ROLE}:
    policies: [read.json, { Version: "2012-10-17", Statement: [] }]
    trust: read.json
    max_session_duration: 7200
buckets: { site: { index.html: hello } }
`);
    const empty = { Version: "2012-10-17", Statement: [] };
    expect(world).toEqual({
      accountId: "123456789012",
      claims: { environment: "prod" },
      roles: { [ROLE]: { policies: [empty, empty], trust: empty, maxSessionSeconds: 7200 } },
      buckets: { site: { "index.html": "hello" } },
    });
  });

  it.each([
    { name: "is not YAML", text: "roles: [", want: "CONFIG_SYNTAX" },
    { name: "has an unknown key", text: "rolls: {}", want: "CONFIG_INVALID" },
    {
      name: "names a role otherwise than by its ARN",
      text: "roles: { deploy: { policies: [], trust: read.json } }",
      want: "CONFIG_INVALID",
    },
    {
      name: "has a role without a trust policy",
      text: `roles: { "${ROLE}": { policies: [] } }`,
      want: "CONFIG_INVALID",
    },
    { name: "names a policy that is not there", text: "managed_policies: { a: none.json }", want: "CONFIG_NOT_FOUND" },
    { name: "names a policy that is not JSON", text: "managed_policies: { a: broken.json }", want: "CONFIG_SYNTAX" },
  ])("is refused when it $name", ({ text, want }) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: want }));
  });

  it("is refused when it is not there", () => {
    const missing = path.join(dir, "none.yaml");
    expect(() => readWorldFile(missing, { fs })).toThrow(expect.objectContaining({ code: "CONFIG_NOT_FOUND" }));
  });
});

import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox } from "../start-sandbox.js";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-trust-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

/** The variables of a sandbox started with these, and what the files hold that they name. */
async function trustWith(env: Record<string, string>) {
  const sandbox = await startSandbox({}, { env });
  try {
    const ca = fs.readFileSync(sandbox.caFile, "utf8");
    const textOf = (name: string): string => fs.readFileSync(sandbox.env[name] ?? "", "utf8");
    return {
      sandbox,
      ca,
      aws: textOf("AWS_CA_BUNDLE"),
      requests: sandbox.env["REQUESTS_CA_BUNDLE"] && textOf("REQUESTS_CA_BUNDLE"),
    };
  } finally {
    await sandbox.close();
  }
}

describe("what makes tools trust the sandbox", () => {
  it("is its own CA alone where they were told of no other, and the system's authorities are left alone", async () => {
    const { sandbox, ca, aws } = await trustWith({});
    expect(aws).toBe(ca);
    for (const name of ["NODE_EXTRA_CA_CERTS", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"]) {
      expect(sandbox.env[name]).toBe(sandbox.caFile);
    }
    for (const name of ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPLIB2_CA_CERTS"]) {
      expect(sandbox.env).not.toHaveProperty(name);
    }
  });

  it("joins what they were told of before", async () => {
    const file = path.join(dir, "company.pem");
    fs.writeFileSync(file, "the company's\n");
    const { ca, aws, requests } = await trustWith({ AWS_CA_BUNDLE: file, REQUESTS_CA_BUNDLE: file });
    expect([aws, requests]).toEqual([`the company's\n${ca}`, `the company's\n${ca}`]);
    expect(fs.readFileSync(file, "utf8")).toBe("the company's\n");
  });

  it("does without a file that is not there", async () => {
    const { sandbox, ca, aws } = await trustWith({ AWS_CA_BUNDLE: "/nonexistent", REQUESTS_CA_BUNDLE: "/nonexistent" });
    expect(aws).toBe(ca);
    expect(sandbox.env).not.toHaveProperty("REQUESTS_CA_BUNDLE");
  });
});

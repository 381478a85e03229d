import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, eventually, openStage, outcomeOf, type RunOptions, type Stage } from "../e2e/agentctl.js";
import { AWS_CLIENTS } from "./aws-clients.js";
import { CLIENT_PATH, skipWithout } from "./tools.js";

const PROFILES = `${DEMO_PROFILE}
  narrow:
    extends: demo
    aws:
      session_policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::demo/reports/*" }
          - { Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::demo" }
`;
const EXPLICIT_DENY = /AccessDenied.*with an explicit deny in a session policy/;

let stage: Stage;
const options: RunOptions = { env: { PATH: CLIENT_PATH } };
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(PROFILES);
});
afterAll(() => stage.close());

describe("the sandbox as AWS, over TLS", () => {
  test.for(AWS_CLIENTS)("$name does what the profile allows and is refused the rest", async (client, { skip }) => {
    skipWithout(skip, ...client.needs);
    const command = client.command(
      "whoami",
      "put:demo/reports/new=some text",
      "get:demo/reports/new",
      "keys:demo",
      "get:demo/hello.txt",
      "put:demo/hello.txt=overwritten",
      "get:other/private.txt",
    );
    const outcome = await stage.run(["run", "-p", "narrow", "--quiet", "--", ...command], options);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const [whoami, put, get, keys, ...refused] = outcome.stdout.trim().split("\n");
    expect(whoami).toMatch(/^whoami: arn:aws:sts::111122223333:assumed-role\/agentctl-demo\/agentctl-l-\w{16}$/);
    expect([put, get]).toEqual(["put: ok", "get: some text"]);
    expect(keys).toBe("keys: hello.txt reports/2026/q3.csv reports/new");
    expect(refused).toEqual([
      expect.stringMatching(client.refusedRead),
      expect.stringMatching(/AccessDenied.*no session policy allows the s3:PutObject action/),
      expect.stringMatching(/^get: ! .*(AccessDenied|Forbidden)/),
    ]);
  });

  test.for(AWS_CLIENTS)("$name is denied everything once the deadline has passed", async (client, { skip }) => {
    skipWithout(skip, ...client.needs);
    const goOn = path.join(stage.dir, "the-deadline-has-passed");
    const command = client.command(
      "get:demo/hello.txt",
      `wait:${goOn}`,
      "repeat:demo/hello.txt",
      "keys:demo",
      "whoami",
    );
    // The client is not told of the deadline, so that it is AWS that ends it.
    const untold = ["env", "-u", "AWS_CREDENTIAL_EXPIRATION", ...command];
    const child = stage.start(["run", "-p", "demo", "--ttl", "5m", "--quiet", "--", ...untold], options);
    const ended = outcomeOf(child);
    let printed = "";
    child.stdout?.on("data", (text: string) => {
      printed += text;
    });
    try {
      await eventually(() => printed.includes("\n"));
      // Within the 15 minutes that S3 allows a client's clock to differ.
      stage.sandbox.clock.setOffset(6 * 60_000, "s3");
      fs.writeFileSync(goOn, "");
      const [before, , ...after] = (await ended).stdout.trim().split("\n");
      expect(before).toBe("get: Hello from the agentctl sandbox.");
      expect(after).toEqual([
        expect.stringMatching(EXPLICIT_DENY),
        expect.stringMatching(EXPLICIT_DENY),
        // GetCallerIdentity cannot be denied, and the receipt says so.
        expect.stringContaining(":assumed-role/agentctl-demo/"),
      ]);
    } finally {
      stage.sandbox.clock.setOffset(0, "s3");
      fs.rmSync(goOn, { force: true });
    }
  });

  test.concurrent.for(AWS_CLIENTS)(
    "$name comes to a clear end at the expiry that it is told",
    async (client, { skip }) => {
      skipWithout(skip, ...client.needs);
      const command = client.command("get:demo/hello.txt", "repeat:demo/hello.txt");
      const outcome = await stage.run(["run", "-p", "demo", "--ttl", "20s", "--quiet", "--", ...command], options);
      expect(outcome.code).toBe(0);
      expect(outcome.stdout).toMatch(/^get: Hello from the agentctl sandbox\.\nrepeat: ! .*\n$/);
      expect(outcome.stdout).toMatch(client.expired);
    },
  );
});

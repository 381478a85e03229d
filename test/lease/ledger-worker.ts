import { setTimeout as sleep } from "node:timers/promises";
import { claimLease, listLeases, newLeaseId, openLease, requestRevocation, sweepFiles } from "../../src/lease/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { makeGrant, makeLease } from "./scratch-ledger.js";

/**
 * `STATE_DIR live COUNT`: opens and closes so many leases, and looks at those of all. `STATE_DIR claim ID…`: ends what it
 * can claim of them, in any order. `STATE_DIR hold ID`: claims it and never lets go. Prints a word a line of what happened.
 */
const [stateDir = "", deed = "", ...words] = process.argv.slice(2);
const runtime = fakeRuntime({
  env: { AGENTCTL_STATE_DIR: stateDir },
  sleep: (ms) => sleep(ms),
  random: Math.random,
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function live(): void {
  const lease = openLease(makeLease(newLeaseId(), {}, Date.now()), runtime);
  lease.update({ state: "running", grants: [makeGrant()] });
  requestRevocation(lease.id, runtime);
  for (const found of listLeases(runtime)) {
    if (found.state === "unreadable") print(`unreadable: ${found.problem}`);
    if (found.state === "orphaned" || found.state === "unknown") print(found.state);
  }
  for (const name of sweepFiles(runtime)) if (name.includes(lease.id)) print(`swept ${name} of an open lease`);
  lease.update({ state: "ending" });
  lease.close();
}

async function claimAll(ids: readonly string[]): Promise<void> {
  for (const id of [...ids].sort(() => Math.random() - 0.5)) {
    const claim = await claimLease(id, runtime);
    if (claim.is !== "claimed") continue;
    print(id);
    claim.lease.update({
      endings: [{ cloud: "aws", word: "fenced", at: "2026-01-31T09:10:00Z", detail: process.pid.toString() }],
    });
    await claim.lease.close();
  }
}

if (deed === "live") for (let count = Number(words[0]); count > 0; count -= 1) live();
else if (deed === "claim") await claimAll(words);
else {
  print((await claimLease(words[0] ?? "", runtime)).is);
  setInterval(() => {}, 1000);
}

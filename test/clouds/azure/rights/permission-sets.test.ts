import { expect, it } from "vitest";
import { isAction, isOnData, readSet } from "../../../../src/clouds/azure/rights/permission-sets.js";

const READ = "Microsoft.Storage/storageAccounts/read";

it.each([
  { actions: [READ], want: true },
  { actions: ["microsoft.storage/STORAGEACCOUNTS/read"], want: true },
  { actions: ["*"], want: true },
  { actions: ["*/read"], want: true },
  { actions: ["Microsoft.Storage/*"], want: true },
  { actions: ["Microsoft.*/storage*/read"], want: true },
  { actions: ["Microsoft.Storage/*/read"], want: true },
  { actions: ["Microsoft.Storage/storageAccounts/read*"], want: true },
  { actions: [], want: false },
  { actions: ["Microsoft.Storage"], want: false },
  { actions: ["*/write"], want: false },
  { actions: ["Microsoft.Compute/*"], want: false },
  { actions: ["Microsoft.Storage/*/blobs/*"], want: false },
  // What stands before a star and what stands behind it are not the same letters.
  { actions: ["Microsoft.Storage/storageAccounts/read*read"], want: false },
  { actions: ["Microsoft.Storage/storageAccounts/re*ead"], want: false },
  { actions: ["Microsoft-Storage/storageAccounts/read"], want: false },
  { actions: ["*"], notActions: ["Microsoft.Storage/*"], want: false },
  { actions: ["*"], notActions: ["*/write"], want: true },
])("of $actions but $notActions", ({ want, ...written }) => {
  expect(isAction(READ, readSet(written))).toBe(want);
});

it("is of the data only by the data's own", () => {
  const set = readSet({ actions: ["*"], dataActions: ["Microsoft.Storage/*/blobs/read"] });
  expect(isOnData("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", set)).toBe(true);
  expect(isOnData("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", set)).toBe(false);
});

it("is told soon, however many stars there are", () => {
  const set = readSet({ actions: [`${"a*".repeat(5_000)}b`] });
  expect(isAction("a".repeat(10_000), set)).toBe(false);
});

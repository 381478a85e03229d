/** What Google tells of a policy that was never written. */
const NEVER_WRITTEN = "ACAB";
/** The first byte of an etag whose rest is the time of the write. */
const BY_TIME = 7n << 56n;

/** A bucket's etag counts its changes; every other one is the microsecond of its last. */
export function firstEtag(holder: string, isEmpty: boolean, now: number): string {
  if (isBucket(holder)) return countedEtag(1);
  return isEmpty ? NEVER_WRITTEN : timedEtag(BigInt(Math.floor(now)) * 1000n);
}

export function nextEtag(holder: string, before: string | undefined, now: number): string {
  const bytes = Buffer.from(before ?? "", "base64");
  if (isBucket(holder)) return countedEtag(readCount(bytes) + 1);
  const last = bytes.length === 8 ? bytes.readBigUInt64BE() - BY_TIME : 0n;
  const fresh = BigInt(Math.floor(now)) * 1000n;
  return timedEtag(fresh > last ? fresh : last + 1n);
}

/** Whether two are the same bytes: a client that reads them may write them again in the URL's alphabet, as gcloud does. */
export function isSameEtag(one: string, other: string): boolean {
  return Buffer.from(one, "base64").equals(Buffer.from(other, "base64"));
}

function isBucket(holder: string): boolean {
  return holder.startsWith("projects/_/buckets/");
}

function timedEtag(microseconds: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BY_TIME + microseconds);
  return bytes.toString("base64");
}

/** A number in the wire format of protocol buffers, as its first field. */
function countedEtag(count: number): string {
  const bytes = [8];
  for (let rest = count; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]).toString("base64");
    bytes.push((rest & 127) | 128);
  }
}

function readCount(bytes: Buffer): number {
  return bytes.subarray(1).reduce((count, byte, index) => count + (byte & 127) * 2 ** (7 * index), 0);
}

import { WireError } from "../../wire-error.js";

export interface UploadPart {
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** The two parts of a `multipart/related` upload: the description, and the content. */
export function readMultipart(body: Buffer, contentType: string): readonly [UploadPart, UploadPart] {
  // gcloud puts the boundary in single quotes, which is not HTTP's way; Google takes it.
  const match = /^multipart\/related;.*boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))/i.exec(contentType);
  const parts = split(body, `--${match?.[1] ?? match?.[2] ?? match?.[3] ?? ""}`).map(readPart);
  const [description, content, ...others] = parts;
  if (match !== null && description !== undefined && content !== undefined && others.length === 0) {
    return [description, content];
  }
  throw new WireError(400, "badContent", "Malformed multipart body.");
}

/** What is between the delimiters, of which the last is followed by two more dashes. */
function split(body: Buffer, delimiter: string): Buffer[] {
  const parts: Buffer[] = [];
  let start = body.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length;
    const end = body.indexOf(`\n${delimiter}`, from);
    if (end < 0) break;
    const until = body[end - 1] === 0x0d ? end - 1 : end;
    parts.push(body.subarray(from, until));
    start = end + 1;
  }
  return parts;
}

function readPart(part: Buffer): UploadPart {
  // Some clients end their lines with a line feed alone.
  const text = part.toString("latin1");
  const blank = /\r?\n\r?\n/.exec(text);
  if (blank === null) throw new WireError(400, "badContent", "Malformed multipart body.");
  const contentType = /^content-type:\s*(.+?)\s*$/im.exec(text.slice(0, blank.index))?.[1];
  return { contentType, body: part.subarray(blank.index + blank[0].length) };
}

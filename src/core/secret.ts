import { createHash } from "node:crypto";
import { inspect } from "node:util";

const REDACTED = "[redacted]";

/**
 * A token or key. It prints as `[redacted]` however it is printed; `reveal()` is for the moment a
 * value leaves for a cloud or the child, and nowhere else.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** SHA-256 of the value in lower-case hex: what the audit log may hold of a token. */
  sha256(): string {
    return createHash("sha256").update(this.#value).digest("hex");
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

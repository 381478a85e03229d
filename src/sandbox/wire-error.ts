/** A refusal the way a cloud service words it: its HTTP status, its own error code and message. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

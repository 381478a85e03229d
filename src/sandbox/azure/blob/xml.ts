import type { ServiceAnswer, ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { escapeXml } from "../../xml.js";

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';

/** A refusal for which Azure gives the reason in an element of its own. */
export class AuthenticationError extends WireError {
  readonly detail: string;

  constructor(status: number, code: string, message: string, detail: string, headers: Record<string, string> = {}) {
    super(status, code, message, headers);
    this.detail = detail;
  }
}

export function tag(name: string, text: string | number): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** `content` is markup already. */
export function listAnswer(attributes: Readonly<Record<string, string>>, content: string): ServiceAnswer {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const body = `${DECLARATION}<EnumerationResults${written.join("")}>${content}</EnumerationResults>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

/** The message ends in the request's id and time, as Azure's do. */
export function blobError(error: WireError, request: ServiceRequest, now: number): ServiceAnswer {
  const message = `${error.message}\nRequestId:${request.requestId}\nTime:${new Date(now).toISOString()}`;
  const detail = error instanceof AuthenticationError ? tag("AuthenticationErrorDetail", error.detail) : "";
  return {
    status: error.status,
    headers: { "content-type": "application/xml", "x-ms-error-code": error.code },
    body: `${DECLARATION}<Error>${tag("Code", error.code)}${tag("Message", message)}${detail}</Error>`,
  };
}

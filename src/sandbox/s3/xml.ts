import type { ServiceAnswer, ServiceRequest } from "../service.js";
import type { WireError } from "../wire-error.js";
import { escapeXml } from "../xml.js";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** `content` is markup already. */
export function s3Answer(root: string, content: string): ServiceAnswer {
  const body = `${DECLARATION}<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

export function tag(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

export function s3Error(error: WireError, request: ServiceRequest): ServiceAnswer {
  const id = request.requestId.replaceAll("-", "").slice(0, 16).toUpperCase();
  const details = `${tag("Code", error.code)}${tag("Message", error.message)}${tag("RequestId", id)}`;
  return {
    status: error.status,
    headers: { "content-type": "application/xml", "x-amz-request-id": id },
    body: `${DECLARATION}<Error>${details}${tag("HostId", "agentctl-sandbox")}</Error>`,
  };
}

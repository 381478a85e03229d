import type { ServiceAnswer, ServiceRequest } from "../service.js";
import type { WireError } from "../wire-error.js";
import { escapeXml } from "../xml.js";

/** A list is written as AWS writes one, each entry a `member`. */
export type XmlValue = string | number | boolean | readonly XmlValue[] | { readonly [name: string]: XmlValue };

/** An answer of the AWS Query protocol: `<XResponse><XResult>…`; an operation without a result has no such part. */
export function queryAnswer(
  namespace: string,
  operation: string,
  result: XmlValue | undefined,
  request: ServiceRequest,
): ServiceAnswer {
  const body = `<${operation}Response xmlns="${namespace}">
${result === undefined ? "" : `${element(`${operation}Result`, result, "  ")}\n`}  <ResponseMetadata>
    <RequestId>${request.requestId}</RequestId>
  </ResponseMetadata>
</${operation}Response>
`;
  return { status: 200, headers: headersOf(request), body };
}

export function queryError(namespace: string, error: WireError, request: ServiceRequest): ServiceAnswer {
  const body = `<ErrorResponse xmlns="${namespace}">
  <Error>
    <Type>${error.status < 500 ? "Sender" : "Receiver"}</Type>
    <Code>${escapeXml(error.code)}</Code>
    <Message>${escapeXml(error.message)}</Message>
  </Error>
  <RequestId>${request.requestId}</RequestId>
</ErrorResponse>
`;
  return { status: error.status, headers: headersOf(request), body };
}

function headersOf(request: ServiceRequest): Record<string, string> {
  return { "content-type": "text/xml", "x-amzn-requestid": request.requestId };
}

function element(name: string, value: XmlValue, indent: string): string {
  if (typeof value !== "object") return `${indent}<${name}>${escapeXml(String(value))}</${name}>`;
  const inner = isList(value)
    ? value.map((part) => element("member", part, `${indent}  `))
    : Object.entries(value).map(([key, part]) => element(key, part, `${indent}  `));
  return [`${indent}<${name}>`, ...inner, `${indent}</${name}>`].join("\n");
}

function isList(value: object): value is readonly XmlValue[] {
  return Array.isArray(value);
}

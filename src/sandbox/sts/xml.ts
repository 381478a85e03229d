import type { ServiceAnswer, ServiceRequest } from "../service.js";
import type { WireError } from "../wire-error.js";
import { escapeXml } from "../xml.js";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

export type XmlValue = string | number | { readonly [name: string]: XmlValue };

/** An answer of the AWS Query protocol: `<XResponse><XResult>…`. */
export function stsAnswer(operation: string, result: XmlValue, request: ServiceRequest): ServiceAnswer {
  const body = `<${operation}Response xmlns="${NAMESPACE}">
${element(`${operation}Result`, result, "  ")}
  <ResponseMetadata>
    <RequestId>${request.requestId}</RequestId>
  </ResponseMetadata>
</${operation}Response>
`;
  return { status: 200, headers: headersOf(request), body };
}

export function stsError(error: WireError, request: ServiceRequest): ServiceAnswer {
  const body = `<ErrorResponse xmlns="${NAMESPACE}">
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
  const inner = Object.entries(value).map(([key, part]) => element(key, part, `${indent}  `));
  return [`${indent}<${name}>`, ...inner, `${indent}</${name}>`].join("\n");
}

import type { Form } from "../query/form.js";
import type { XmlValue } from "../query/xml.js";
import { WireError } from "../wire-error.js";
import type { IamContext } from "./context.js";
import type { FoundRole } from "./find-role.js";
import { readMaxItems } from "./parameters.js";

/** A page of the inline policies' names, in order; the marker stands for the last name of the page before. */
export function listRolePolicies(form: Form) {
  const maxItems = readMaxItems(form);
  const after = readMarker(form);
  return ({ arn }: FoundRole, { policies }: IamContext): XmlValue => {
    const names = [...policies.inlineOf(arn).keys()].sort().filter((name) => name > after);
    const page = names.slice(0, maxItems);
    const isTruncated = page.length < names.length;
    return {
      PolicyNames: page,
      IsTruncated: isTruncated,
      ...(isTruncated && { Marker: Buffer.from(page.at(-1) ?? "").toString("base64") }),
    };
  };
}

function readMarker(form: Form): string {
  const marker = form.get("Marker") ?? "";
  const after = Buffer.from(marker, "base64");
  // Nobody but IAM itself makes a marker.
  if (after.toString("base64") !== marker) throw new WireError(400, "ValidationError", `Invalid Marker: ${marker}`);
  return after.toString("utf8");
}

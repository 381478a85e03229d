import { isSameSecret } from "../../core/constant-time.js";
import type {
  CloudEndpoint,
  EndpointAnswer,
  EndpointPlace,
  EndpointQuestion,
  EndpointRefusal,
  MetadataEndpoint,
} from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { CloudName } from "../../core/profile.js";

/** One cloud's protocols at the place where they are served. */
export interface Responder {
  readonly cloud: CloudName;
  authorize(question: EndpointQuestion): boolean;
  answer(question: EndpointQuestion, grant: Grant): EndpointAnswer | EndpointRefusal;
  refuse(question: EndpointQuestion, refusal: EndpointRefusal): EndpointAnswer;
}

/** Who answers at a request's path, and what of the path is that cloud's own; undefined where there is nothing. */
export type FindRoute = (path: string) => { readonly responder: Responder; readonly path: string } | undefined;

export interface ServedCloud {
  readonly endpoint: CloudEndpoint;
  readonly place: EndpointPlace;
}

/** `/SECRET/CLOUD/…`; the secret is compared first, so that without it nothing is learned. */
export function routeBySecret(pathSecret: string, served: readonly ServedCloud[]): FindRoute {
  const responders = new Map<string, Responder>(served.map((each) => [each.endpoint.cloud, respondAt(each)]));
  return (path) => {
    const [, secret = "", cloud = ""] = path.split("/", 3);
    if (!isSameSecret(secret, pathSecret)) return undefined;
    const responder = responders.get(cloud);
    return responder && { responder, path: path.slice(`/${secret}/${cloud}`.length) };
  };
}

/** A metadata server answers on every path, and demands no proof: its tools know of none. */
export function routeToMetadata(cloud: CloudName, metadata: MetadataEndpoint): FindRoute {
  const responder: Responder = {
    cloud,
    authorize: () => true,
    answer: (question, grant) => metadata.answer(question, grant),
    refuse: (question, refusal) => metadata.refuse(question, refusal),
  };
  return (path) => ({ responder, path });
}

function respondAt({ endpoint, place }: ServedCloud): Responder {
  return {
    cloud: endpoint.cloud,
    authorize: (question) => endpoint.authorize(question, place),
    answer: (question, grant) => endpoint.answer(question, grant, place),
    refuse: (question, refusal) => endpoint.refuse(question, refusal),
  };
}

export type { DeliveryInput, DeliveryPreview } from "./compose-environment.js";
export type { RefusedRequest } from "./endpoint/refusal-log.js";
export { type Deliverables, type Delivery, prepareDelivery, previewDelivery } from "./prepare-delivery.js";

export {
  type Delivery,
  type DeliveryInput,
  type DeliveryPreview,
  prepareDelivery,
  previewDelivery,
} from "./prepare-delivery.js";

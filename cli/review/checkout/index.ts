export { type Checkout, commonBase, openCheckout } from "./checkout.ts";

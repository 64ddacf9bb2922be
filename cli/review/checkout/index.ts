export { type Checkout, commonBase, isGrownFrom, openCheckout } from "./checkout.ts";

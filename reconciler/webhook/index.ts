export { coalesced } from "./burst.ts";
export { listenForWebhooks, type Webhooks } from "./listener.ts";
export { startWebhooks, type WebhookPlace } from "./start.ts";

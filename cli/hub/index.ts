export { hubClient, type HubClient } from "./client.ts";
export { getMachines, getPlugins, type Output } from "./get.ts";
export { reconcile } from "./reconcile.ts";
export { status } from "./status.ts";

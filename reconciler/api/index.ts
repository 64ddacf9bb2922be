export { listenOn } from "./listen.ts";
export { apiServer } from "./server.ts";
export type { HubFacts } from "./view.ts";

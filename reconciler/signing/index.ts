export { keyFault } from "./key-fault.ts";
export { type HubCase, type HubDocument, hubDocuments } from "./documents.ts";
export { hubKeyLine, type HubKey, makeHubKey, readHubKey } from "./hub-key.ts";
export { type HubSigning, hubSigning, type HubSigningDeps, type Seen } from "./signing.ts";

export { type AgentClient, agentClient } from "./client.ts";
export type { Events } from "./frames.ts";

export { type Agent, startAgent } from "./agent.ts";
export type { AgentOptions, BridgeHooks, BridgeSide, RunningSupervisor } from "./options.ts";

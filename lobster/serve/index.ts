export { type Agent, type AgentOptions, type BridgeHooks, type BridgeSide, type RunningSupervisor, startAgent } from "./agent.ts";

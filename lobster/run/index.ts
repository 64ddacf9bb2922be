export type { BridgeSide } from "./bridge-side.ts";
export { type PluginSupervisor, createSupervisor, type SupervisorOptions } from "./supervisor.ts";
export { closeInherited } from "./descriptors.ts";

export {
  type BridgeClient,
  type BridgeExit,
  type BridgeOptions,
  type BridgeReady,
  forkBridge,
  type PluginLine,
  type SecretUse,
} from "./client.ts";
export type { BridgeState, BridgeValue, FromBridge, ToBridge } from "./ipc.ts";

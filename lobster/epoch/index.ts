export { type EpochGate, MAX_EPOCH_JUMP, openEpochGate } from "./epoch.ts";

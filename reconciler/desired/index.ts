export { type FleetFile, type FleetFiles, filesOf } from "./files.ts";
export { type Finding, hasErrors, type Level, sortFindings } from "./finding.ts";
export { gate } from "./gate.ts";
export type { BundleSource, HubSettings, MachineLink } from "./hub-settings.ts";
export { demandFleet, type LoadCache, loadFleet, type LoadOptions, type LoadResult, newLoadCache } from "./load.ts";
export type { Loaded } from "./document.ts";
export type { FleetRepo } from "./repo.ts";
export { desiredOf, type Resolved, type ResolvedMachine, resolve } from "./resolve.ts";
export { type Roots, rootsOf } from "./roots.ts";

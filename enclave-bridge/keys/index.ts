export type { DeviceKeyDriver, DriverInfo, DriverKind, Evidence, KeyHandle, KeyUse } from "./driver.ts";
export { type KeyFault, keyError } from "./faults.ts";
export { softwareDriver, type SoftwareOptions } from "./software/driver.ts";
export { ecdhOf, kxText, sigText, spkiOf } from "./texts.ts";

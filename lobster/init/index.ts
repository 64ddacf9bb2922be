export { type InitOptions, initMachine, type SignedMachine } from "./init.ts";
export { LAUNCHER } from "./launcher.ts";
export { egressSocket, layoutOf, uidsFile, uidsFrom, unpackUid } from "./layout.ts";
export { readPins } from "./pins.ts";

export { type InitOptions, initMachine, type SignedMachine } from "./init.ts";
export { LAUNCHER } from "./launcher.ts";
export { layoutOf, uidsFile, uidsFrom } from "./layout.ts";
export { readPins } from "./pins.ts";

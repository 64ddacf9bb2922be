export * from "./apply.ts";
export * from "./event.ts";
export * from "./hub.ts";
export * from "./live.ts";
export * from "./names.ts";
export * from "./pins.ts";
export * from "./secret.ts";
export * from "./section.ts";

export type { Surroundings } from "./answers.ts";
export { init, type InitOptions } from "./init.ts";

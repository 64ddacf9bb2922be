export { explain, type ExplainOptions } from "./explain.ts";

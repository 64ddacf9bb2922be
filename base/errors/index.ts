export { CATALOG, type CatalogEntry, type Disposition, type ErrorCode, isErrorCode } from "./catalog/index.ts";
export { hasCode, MooringError } from "./mooring-error.ts";
export { formatError, type Problem, toProblem } from "./print.ts";

export { errorField, type Fields, type Log, lineLog, refusalFields } from "./log.ts";

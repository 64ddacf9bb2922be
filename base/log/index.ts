export { errorField, type Fields, type Log, lineLog } from "./log.ts";

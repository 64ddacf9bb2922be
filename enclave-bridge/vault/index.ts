export { type AgeIdentity, openAge } from "./age.ts";
export { readAgeFile } from "./age-header.ts";

export { faultPoint } from "./fault.ts";
export { isErrno, linkDurable, makeFolder, readIfThere, removeIfThere, renameDurable, syncFolder, writeDurable } from "./file.ts";

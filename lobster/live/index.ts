export { makeObserver, type Observer, type Seen, seenOf } from "./live.ts";
export { foldersOf, type HashCache, type Level, observeTree } from "./tree.ts";

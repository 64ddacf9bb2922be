export { type Generation, type Generations, openGenerations, pluginsOf } from "./generations.ts";
export { diskMode, FOLDER_MODE } from "./mode.ts";
export { type ContentStore, type FileSource, openContentStore } from "./store.ts";

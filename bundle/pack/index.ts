export { manifestOf, type PluginManifest } from "./manifest.ts";
export { type Packed, packedFrom, packFiles, packPlugin, treeFiles } from "./pack.ts";

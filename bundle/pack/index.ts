export { manifestOf, type PluginManifest } from "./manifest.ts";
export { type Packed, packFiles, packPlugin, treeFiles } from "./pack.ts";

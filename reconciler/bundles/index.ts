export { type FetchedBundle, fetchBundle } from "./fetch.ts";
export { type BundleStore, type HeldBundle, openBundleStore } from "./store.ts";

export { applyId, type AcceptedBook, type AcceptedRelease, openAcceptedBook } from "./accepted.ts";
export { type BundleTools, missingBundles, takePack } from "./bundles.ts";
export { checkView, type Converger, makeConverger, runsOf } from "./converge.ts";
export { type Core, makeLane } from "./core.ts";
export { type Hold, type HoldBook, openHoldBook, withHolds } from "./holds.ts";
export { openPackSpool, type PackSpool } from "./packs.ts";
export { checkSections, identityOf, pluginNamed, revokedIn, runOf } from "./sections.ts";
export { obeyRevoked, settle } from "./settle.ts";

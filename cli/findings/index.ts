export { excerptOf } from "./excerpt.ts";
export { countText, findingBlock, type Look } from "./text.ts";

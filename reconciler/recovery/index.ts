export { checkFloor, type Floor, floorOf, NO_FLOOR, uncovered } from "./floor.ts";
export { witnessOf } from "./witness.ts";

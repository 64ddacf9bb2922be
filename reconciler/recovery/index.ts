export { checkFloor, type Floor, floorOf, NO_FLOOR } from "./floor.ts";
export { witnessOf } from "./witness.ts";

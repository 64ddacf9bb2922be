export { framed, unframed } from "./frames.ts";

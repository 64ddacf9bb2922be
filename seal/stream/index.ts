export { CHUNK_SIZE, openStream, sealStream } from "./stream.ts";

export { makeQueue, type Next, type Queue } from "./queue.ts";

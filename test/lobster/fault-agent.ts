/** An agent in a process of its own, for tests that kill it: root folder and pins file as arguments; prints "serving" once it answers. */
import { readFileSync } from "node:fs";
import { lineLog } from "#base/log/index.ts";
import { layoutOf } from "#lobster/init/index.ts";
import type { Pins } from "#schemas/wire/index.ts";
import { startTestAgent } from "./support.ts";

const [root, pinsFile] = process.argv.slice(2);
if (root === undefined || pinsFile === undefined) throw new Error("fault-agent ROOT PINS");
const pins = JSON.parse(readFileSync(pinsFile, "utf8")) as Pins;
const log = lineLog((line) => process.stderr.write(line), Date.now);
const agent = await startTestAgent(layoutOf(root), pins, { clock: Date.now, log });
process.stdout.write("serving\n");
process.on("SIGTERM", () => void agent.stop().then(() => process.exit(0)));

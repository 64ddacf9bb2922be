/** A process that polls once and ends; killed.test.ts kills it at its durable steps. */
import { openSource } from "#reconciler/source/index.ts";

const [url = "", gitdir = "", stateFile = "", packs = "60"] = process.argv.slice(2);
const source = await openSource({ url, gitdir, branch: "main", stateFile, compactAt: { packs: Number(packs), bytes: 1 << 30 } });
const { main } = await source.poll();
if (main !== null) await source.storeVerified({ revision: main, serial: 2 });

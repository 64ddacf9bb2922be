// The smallest plugin that uses a secret: it asks twice a second, says how many bytes came, and keeps none of them.
// `mooring` connects file descriptor 3 to the bridge; `vendor/sdk.js` is put there when the plugin is packed (examples/plugins/build.ts).
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./vendor/sdk.js";

const REF = "secret://team/greeting";
const EVERY_MS = 500;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
console.log(`greeter ${version} started`);

const mooring = await connect();
for (let use = 1; ; use++) {
  try {
    // The bytes are zeroed when this function ends, so only their number leaves it: never the value, nor a hash of it.
    const size = await mooring.withSecret(REF, (bytes) => bytes.length, { timeoutMs: 2_000 });
    console.log(`greeting ok (${size} bytes, use ${use})`);
  } catch (err) {
    console.log(`greeting refused: ${err.code ?? err.name}`);
    if (err.code === "CLOSED") process.exit(1); // the bridge is gone and so is this descriptor: the supervisor starts us anew
  }
  await sleep(EVERY_MS);
}

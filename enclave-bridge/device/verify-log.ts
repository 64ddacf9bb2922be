/** Entry of `openclaw-lobster verify`: checks a machine's audit log from its files, under the uid that owns them. Arguments: folder, origin, base64 of
 *  the SPKI DER of the machine's signing key. Prints the number of entries, or the error as JSON and exits 1. */
import { fromBase64 } from "#base/canonical/index.ts";
import { MooringError, toProblem } from "#base/errors/index.ts";
import { folderReader, verifyLog } from "#bridge/log/index.ts";
import { ecdsaNoteKey } from "#proof/tlog/index.ts";

const [dir = "", origin = "", sig = ""] = process.argv.slice(2);
try {
  const log = await verifyLog(folderReader(dir), origin, ecdsaNoteKey(origin, fromBase64(sig, "signing key")));
  process.stdout.write(`${log.size}\n`);
} catch (err) {
  if (!(err instanceof MooringError)) throw err;
  process.stdout.write(`${JSON.stringify(toProblem(err))}\n`);
  process.exitCode = 1;
}

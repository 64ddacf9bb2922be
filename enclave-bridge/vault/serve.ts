import { join } from "node:path";
import type { Log } from "#base/log/index.ts";
import type { Clock } from "#base/time/index.ts";
import { folderReader, openLog } from "#bridge/log/index.ts";
import { readConfig } from "./config.ts";
import { loadKeys } from "./keys.ts";
import { serve } from "./server.ts";
import { lockFolder } from "./socket.ts";
import { VaultStore } from "./store.ts";
import { makeVault } from "./vault.ts";

export type RunOptions = {
  readonly dir: string;
  readonly socket: string;
  readonly group: number | null;
  readonly log: Log;
  readonly now: Clock;
  readonly uid: number;
  readonly onCrash: (err: unknown) => void;
};

/** Opens the vault of a folder and serves it. `stop` finishes what runs and closes the log. ONE process may serve a folder. */
export async function runVault(options: RunOptions): Promise<{ stop(): Promise<void> }> {
  const { dir, log, now, uid } = options;
  const config = await readConfig(dir);
  const keys = await loadKeys(dir);
  const lock = await lockFolder(dir);
  const store = await VaultStore.open(dir);
  const origin = `mooring/${config.fleet}/vault`;
  const audit = await openLog({ dir: join(dir, "log"), origin, signer: keys.noteSigner(origin), now });
  await audit.append({ op: "log.open", outcome: "ok" });
  const vault = makeVault({ config, keys, store, log: audit, now, uid });
  const routes = { vault, readLog: folderReader(join(dir, "log")), checkpoint: () => audit.checkpoint() };
  const server = await serve({ ...options, routes });
  log.info({ fleet: config.fleet, uid }, "vault serves");
  return {
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      await audit.close();
      lock.close();
    },
  };
}

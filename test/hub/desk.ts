import { join } from "node:path";
import { lineLog } from "#base/log/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { sleep, timeOf } from "#base/time/index.ts";
import { statusText } from "#cli/hub/status.ts";
import { statusView } from "#reconciler/api/view.ts";
import { openBundleStore } from "#reconciler/bundles/index.ts";
import { type Hub, makeHub, type makeSourceLoop } from "#reconciler/hub/index.ts";
import { type Dial, openBindingBook, openEventBook } from "#reconciler/machine/index.ts";
import { hubSigning, type HubKey } from "#reconciler/signing/index.ts";
import { type HubStatus, hubStatus } from "#schemas/wire/index.ts";
import type { RepoFleet } from "./repo-fleet.ts";

export type Shown = { readonly status: HubStatus; readonly text: string; readonly json: string; readonly log: string };

type DeskOptions = {
  readonly pin?: Parameters<typeof makeSourceLoop>[0]["pin"];
  readonly witness?: Parameters<typeof makeSourceLoop>[0]["witness"];
  readonly key?: HubKey;
};

const facts = { url: "https://git.example.net/fleet.git", version: "0.1.0", uid: 501, startedAt: timeOf(0), nativeCrypto: true };

/** A hub on a fleet repo whose machines nobody reaches, and what somebody on call sees of it: `mooring status` and the log. */
export class Desk {
  readonly #hub: Hub;
  readonly #running: Promise<void>;
  readonly #lines: readonly string[];
  readonly #now: () => number;

  private constructor(hub: Hub, lines: readonly string[], now: () => number) {
    this.#hub = hub;
    this.#running = hub.run();
    this.#lines = lines;
    this.#now = now;
  }

  static async open(fleet: RepoFleet, { pin, witness = null, key }: DeskOptions = {}): Promise<Desk> {
    const lines: string[] = [];
    const clock = (): number => fleet.now;
    const log = lineLog((line) => void lines.push(line), clock);
    const dial: Dial = (host) => Promise.reject(new MooringError("SSH_UNREACHABLE", host.name));
    const folder = join(fleet.folder, "desk");
    const signing = { source: { url: fleet.gitdir }, clock, random: Math.random };
    const hub = makeHub({
      source: await fleet.loop("desk", pin, witness),
      clock,
      random: Math.random,
      log,
      pollMs: 10,
      signing: key === undefined ? null : hubSigning({ key, pin: pin ?? (await fleet.resolved()).trustLeaf, ...signing }),
      worker: {
        hub: "test",
        dial,
        log,
        book: openEventBook(join(folder, "events")),
        bundles: openBundleStore(join(folder, "bundles")),
        vault: null,
        bindings: openBindingBook(join(folder, "bindings")),
        clock,
        random: Math.random,
      },
    });
    return new Desk(hub, lines, clock);
  }

  /** What is shown once `code` is; `fits` asks for more than that. */
  async shows(code: string, fits: (text: string) => boolean = () => true): Promise<Shown> {
    for (;;) {
      const json = JSON.stringify(statusView(this.#hub, facts));
      const status = hubStatus.parse(JSON.parse(json)); // what the command line keeps of it
      const text = statusText(status, this.#now());
      const log = this.#lines.filter((line) => line.includes(`"${code}"`)).join("");
      if (text.includes(code) && log !== "" && fits(text)) return { status, text, json: JSON.stringify(status), log };
      await sleep(5);
    }
  }

  async runs(revision: string): Promise<void> {
    while (this.#hub.source().target?.revision !== revision) await sleep(5);
  }

  async close(): Promise<void> {
    await this.#hub.stop();
    await this.#running;
  }
}

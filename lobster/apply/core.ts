import type { Log } from "#base/log/index.ts";
import type { Clock } from "#base/time/index.ts";
import type { Layout, Supervisor } from "#lobster/contract.ts";
import type { Pins, PluginId } from "#schemas/wire/index.ts";
import type { ContentStore, Generations } from "../content/index.ts";
import type { Journal } from "../events/index.ts";
import type { Observer } from "../live/index.ts";
import type { StatementBook } from "../statements/index.ts";
import type { AcceptedBook } from "./accepted.ts";
import type { HoldBook } from "./holds.ts";

/** What the parts of a running agent share. */
export type Core = {
  readonly pins: Pins;
  readonly layout: Layout;
  readonly log: Log;
  readonly clock: Clock;
  /** Who owns the trees: the agent's own uid. */
  readonly uid: number;
  readonly accepted: AcceptedBook;
  readonly holds: HoldBook;
  readonly content: ContentStore;
  readonly generations: Generations;
  readonly observer: Observer;
  readonly journal: Journal;
  readonly statements: StatementBook;
  readonly supervisor: Supervisor;
  /** Plugins whose tree is drifted right now. */
  readonly withheld: Set<PluginId>;
  /** Plugins that a person stopped; a restart of the agent forgets it. */
  readonly stopped: Set<PluginId>;
  /** Plugins held because they are revoked; each resolves when it has stopped. */
  readonly heldAsRevoked: Map<PluginId, Promise<void>>;
  /** Runs `work` while nobody else switches or repairs trees. Not re-entrant. */
  readonly withTrees: <T>(work: () => Promise<T>) => Promise<T>;
  /** Tells the bridge what is proven now; resolves when it has it. */
  readonly giveBridge: () => Promise<void>;
};

/** A lane: work given to it runs one after the other; an error is its caller's alone. */
export function makeLane(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = tail.then(work);
    tail = turn.catch(() => null); // the caller has the error
    return turn;
  };
}

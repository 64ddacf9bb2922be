import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { openAcceptedBook, openHoldBook, openPackSpool, revokedIn } from "../apply/index.ts";
import { openContentStore, openGenerations } from "../content/index.ts";
import { openEpochGate } from "../epoch/index.ts";
import { openJournal } from "../events/index.ts";
import { openStatementBook } from "../statements/index.ts";
import type { AgentOptions } from "./options.ts";
import { removeStaleTemps } from "./recover.ts";

const PACK_LIMIT = 256 * 1024 * 1024; // an archive of 100 MiB, its sigstore bundle and what sealing adds, with room

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** Everything durable, opened and recovered: what was half done when the power went is finished or gone. Throws STATE_BROKEN. */
export async function openStores({ layout, pins, clock }: Pick<AgentOptions, "layout" | "pins" | "clock">) {
  await removeStaleTemps(layout);
  const content = await openContentStore(layout.content);
  const generations = await openGenerations(layout.generations, content);
  const accepted = await openAcceptedBook(join(layout.state, "accepted.json"), pins);
  const statements = await openStatementBook(join(layout.state, "statements"), pins);
  const last = accepted.current();
  if (last !== null) await statements.follow({ lifts: last.head.lifts, revoked: revokedIn(last.desired) }); // the release may have come just before the power went
  const journal = await openJournal(join(layout.state, "events"), clock, randomUUID);
  const epoch = await openEpochGate(join(layout.state, "epoch.json"));
  const holds = await openHoldBook(join(layout.state, "holds.json"));
  const spool = await openPackSpool(join(layout.state, "packs"), PACK_LIMIT);
  return { content, generations, accepted, statements, journal, epoch, holds, spool };
}

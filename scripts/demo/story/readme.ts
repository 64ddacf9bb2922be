import { setTimeout as sleep } from "node:timers/promises";
import { type Chapter, holdings } from "../stage.ts";

/** What machines run did not change, so there is nothing to sign. */
export const readme: Chapter = {
  title: "A typo is fixed in the README: no release is needed",
  run: async (stage, say) => {
    const before = await holdings(stage);
    stage.operator.edit("README.md", (text) => text.replace("Three machines", "Three small machines"));
    const commit = await stage.operator.push("README: say how big");
    const status = await stage.hub.when(
      "has read the new commit",
      20_000,
      ({ source, awaiting }) => source.head === commit && (awaiting !== null || source.target === commit),
    );
    await sleep(500);
    const isUnchanged = (await holdings(stage)) === before;
    const releaseNeeded = status.awaiting !== null || !isUnchanged;
    if (!releaseNeeded) say(`${commit.slice(0, 8)} is covered by release ${status.release?.serial ?? "?"}; no machine changed`);
    return { readme: { releaseNeeded } };
  },
};

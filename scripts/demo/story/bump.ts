import { setTimeout as sleep } from "node:timers/promises";
import { NAMES } from "../machines.ts";
import { planOf, release } from "../sign.ts";
import { type Chapter, holdings, pluginsOf } from "../stage.ts";
import { until } from "../wait.ts";

const VERSION = "1.1.0";

/** A new version of the plugin: planned, awaited, signed, rolled out. */
export const bump: Chapter = {
  title: `A commit moves the plugin to ${VERSION}: it waits for a signature`,
  run: async (stage, say) => {
    const { operator, bundles, hub } = stage;
    const before = await holdings(stage);
    const file = await bundles.publish(VERSION, 2);
    await operator.mustMooring(["plugin", "pin", file, "--repo", operator.clone, "--url", bundles.url(file)]);
    const commit = await operator.push(`greeter ${VERSION}`);
    const plan = await planOf(stage);
    for (const line of plan.lines) say(line);
    const { awaiting } = await hub.when("awaits the release", 20_000, (status) => status.awaiting?.revision === commit);
    const roles = awaiting?.missing.map(({ role, need, principals }) => `${role} (${need} of ${principals.join(", ")})`) ?? [];
    say(`the hub: ${commit.slice(0, 8)} is AwaitingRelease: ${roles.join("; ")}`);
    await sleep(1_500); // a poll and more: whoever wanted to act on it had the time
    const unreleasedRefused = (await holdings(stage)) === before;
    if (unreleasedRefused) say("unsigned: nothing changed on any machine");
    const signedMs = await release(stage, ["a"]);
    const rolledOut = await until(
      `greeter ${VERSION} runs on all machines`,
      60_000,
      async () => {
        const found = (await pluginsOf(stage, "greeter")).filter(
          ({ version, state, health }) => version === VERSION && state === "running" && health === "healthy",
        );
        return found.length === NAMES.length ? found : null;
      },
      undefined,
      5,
    );
    const ms = Math.round(performance.now() - signedMs);
    say(`signed; greeter ${VERSION} is healthy on ${rolledOut.length} machines ${ms} ms after the signature was pushed`);
    await hub.when("all machines in sync", 30_000, ({ machines }) => machines.every(({ inSync }) => inSync));
    return { bump: { planned: plan.steps, applied: rolledOut.length, unreleasedRefused, ms } };
  },
};

import { NAMES, whichSshd } from "../machines.ts";
import { release } from "../sign.ts";
import { type Chapter, pluginsOf } from "../stage.ts";
import { check } from "../wait.ts";

/** The first release: people sign, the hub brings three empty machines to it. */
export const converge: Chapter = {
  title: "People sign the first release, and three machines converge to it",
  run: async (stage, say) => {
    await stage.hub.when("waits for the first release", 20_000, ({ awaiting }) => awaiting !== null);
    const before = await Promise.all(NAMES.map(async (name) => (await stage.watch(name).hello()).generation));
    check(
      before.every((generation) => generation === 0),
      "machines ran something before anything was released",
    );
    say("nothing is released yet: the machines run nothing");
    await release(stage, ["a", "b", "security"]);
    const startMs = performance.now();
    const status = await stage.hub.when(
      "all machines in sync",
      60_000,
      ({ machines }) =>
        machines.length === NAMES.length &&
        machines.every(({ inSync, plugins }) => inSync && plugins.every(({ health }) => health === "healthy")),
    );
    const running = (await pluginsOf(stage, "greeter")).filter(({ state }) => state === "running");
    const roots = await Promise.all(NAMES.map(async (name) => (await stage.watch(name).live("hash")).root));
    const converged = status.machines.every(({ name, desiredRoot }) => roots[NAMES.findIndex((one) => one === name)] === desiredRoot);
    say(
      `release ${status.release?.serial ?? "?"}: greeter ${running[0]?.version ?? "?"} runs on ${running.length} machines ${Math.round(performance.now() - startMs)} ms after the last signature`,
    );
    for (const name of NAMES) stage.watch(name).follow("greeter");
    return {
      machines: status.machines.length,
      sshd: whichSshd().kind,
      isolation: stage.world.uids === null ? "none" : "uids",
      converged,
      plugin: { running: running.length, secretDelivered: false },
    };
  },
};

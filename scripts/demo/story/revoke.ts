import { NAMES } from "../machines.ts";
import { statementSigners } from "../sign.ts";
import type { Chapter } from "../stage.ts";

/** One named person takes a secret away; no release, no threshold, no freeze. */
export const revoke: Chapter = {
  title: "One person revokes the secret: the running plugin's next request is refused",
  run: async (stage, say) => {
    const { operator, hub } = stage;
    const startMs = performance.now();
    const words = ["revoke", "secret://team/greeting", "--reason", "seen in a screenshot", "--source", operator.url, "--hub", hub.socket];
    const out = await operator.mustMooring([...words, ...operator.as("ops")]);
    for (const line of out.trim().split("\n").slice(-3)) say(line);
    const refused = await Promise.all(
      NAMES.map((name) => stage.watch(name).line("its next request is refused", /^greeting refused: /, startMs, 20_000)),
    );
    const ms = Math.round(Math.min(...refused.map(({ atMs }) => atMs)) - startMs);
    const last = Math.round(Math.max(...refused.map(({ atMs }) => atMs)) - startMs);
    const signers = await statementSigners(stage);
    say(`"${refused[0]?.text ?? ""}": first after ${ms} ms, on all three after ${last} ms (the plugin asks twice a second)`);
    return { revoked: { refused: refused.length === NAMES.length, signers, ms } };
  },
};

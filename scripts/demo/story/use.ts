import { NAMES } from "../machines.ts";
import { type Chapter, pluginsOf } from "../stage.ts";

/** The plugin asks for its secret on file descriptor 3 and says how many bytes came. */
export const use: Chapter = {
  title: "The plugin uses its secret; nobody else ever holds it",
  run: async (stage, say) => {
    const lines = await Promise.all(
      NAMES.map((name) => stage.watch(name).line("the greeter uses its secret", /^greeting ok \(\d+ bytes/, 0, 30_000)),
    );
    const expected = `(${Buffer.byteLength(stage.world.canary)} bytes`;
    for (const [i, line] of lines.entries()) say(`${NAMES[i]}: "${line.text}"`);
    const running = (await pluginsOf(stage, "greeter")).filter(({ state }) => state === "running").length;
    return { plugin: { running, secretDelivered: lines.every(({ text }) => text.includes(expected)) } };
  },
};

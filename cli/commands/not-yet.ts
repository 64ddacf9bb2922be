import { MooringError } from "#base/errors/index.ts";

const COMMANDS = [
  ..."trust apply stdio describe diff trace tree history logs events top enroll unenroll import rotation audit freeze pause hold".split(
    " ",
  ),
  ..."backup doctor dashboard completion machine openclaw bundle".split(" "),
];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  plugin: ["init", "bump"],
  "secret-ref": ["list", "show", "grant", "revoke", "rotate", "rewrap", "import", "recover"],
};

/** Throws NOT_YET for a command of the design that this version has not: help shows only what there is. */
export function checkBuilt(args: readonly string[]): void {
  const [command = "", part = ""] = args;
  if (command === "vault") throw new MooringError("NOT_YET", "mooring vault", { fix: "the vault has its own program: bin/mooring-vault" });
  const name = COMMANDS.includes(command) ? command : PARTS[command]?.includes(part) === true ? `${command} ${part}` : null;
  if (name === null) return;
  throw new MooringError("NOT_YET", `mooring ${name}`, { fix: "`mooring --help` lists what this version does" });
}

import type { Digest } from "#base/canonical/index.ts";
import type { Answers } from "./answers.ts";
import { isHardware } from "./keys.ts";

/** What goes to paper. */
export function paperText(name: string, secrets: string): string {
  return `RECOVERY OF THE FLEET ${name}: print or copy this onto paper now, and lock it away.
Whoever holds it can change whom the fleet trusts and open every secret. Without it, a lost signing key or
a lost vault cannot be replaced. It is in no file of the repo, and mooring cannot show it again.
Clear the terminal's scrollback once it is on paper.

${secrets}`;
}

/** What was made, what to believe, what comes next. */
export function doneText(done: {
  readonly dir: string;
  readonly answers: Answers;
  readonly paths: readonly string[];
  readonly trustRoot: Digest;
}): string {
  const { dir, answers, paths, trustRoot } = done;
  const own = paths.filter((path) => !path.startsWith(".mooring/"));
  const key = answers.keyFile ?? "FILE.pub";
  const touch = isHardware(answers.key) ? "a hardware key: every signature asks for a touch" : "no hardware key: nothing asks for a touch";
  return `
${dir}: the fleet ${answers.name}
${own.map((path) => `  ${path}\n`).join("")}  .mooring/schemas/ (${paths.length - own.length} schemas, for editors)

Signer      ${answers.principal} (${touch})
Trust root  ${trustRoot}
            Hub and people who review are started with it once; give it to them by another way than the repo.

Next
  1. cd ${dir} && git init -b main && git add -A && git commit -m "fleet ${answers.name}", then push it.
     Where a ruleset protects all branches of the forge, exempt mooring/releases: everybody who signs pushes there,
     and nothing there is believed unless it is signed. (GitHub: Settings, Rules, Rulesets, target branches, exclude mooring/releases.)
  2. .github/workflows/mooring.yml shows the plan in each pull request: name in it the commit of mooring's action that you have read.
  3. mooring release --source URL --trust-root ${trustRoot} --key ${key} --as ${answers.principal}
  README.md goes on from there: vault, hub, machines.
`;
}

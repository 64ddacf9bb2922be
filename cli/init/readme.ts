import type { Answers } from "./answers.ts";

/** README.md of a new fleet repo: what lies where, and what comes next. */
export function readmeText({ name, hub }: Answers): string {
  const onHub = hub === null ? "on the machine that will be the hub" : `on ${hub}`;
  return `# The fleet ${name}

A pull request changes what runs on the machines; a signed release makes it so.

| folder | what |
|---|---|
| \`fleet.yaml\` | who must sign what |
| \`machines/\` | a file for each machine: address, host key, its own keys, labels |
| \`baselines/\` | how the machines themselves must be |
| \`plugins/\` | which bundle of each plugin runs where, and its lock |
| \`secrets/\` | age files, a version each; never a value |
| \`grants/\` | which plugin may use which secret, where, until when |
| \`policies/\` | rules that every change has to meet, with their tests in \`policies/tests/\` |
| \`trust/\` | public keys of people, vault and plugin authors |

\`mooring explain machine\` says what a document holds; an editor with yaml-language-server completes it by \`.mooring/schemas\`.

## Every day
\`\`\`sh
mooring validate .                       # errors at file:line:col, no network
mooring policy test .                    # the policies' own tests
mooring plan --base main --head worktree # what a change does, machine by machine
\`\`\`

## Once
1. Commit and push to \`main\`; leave the branch \`mooring/releases\` open for everybody who signs: signatures are pushed there, and what is pushed
   there is believed only if it is signed.
2. Set up the vault ${onHub}: \`mooring-vault init --dir DIR --fleet ${name}\` prints a key line for \`trust/allowed_signers\` and a recipient for
   \`trust/recipients\`. Commit both: nobody but the escrow can open a secret before that.
3. \`mooring release --source URL --trust-root LEAF --key FILE --as YOU\`, where LEAF is what \`mooring trust-root --dir .\` prints here.
4. Start the hub ${onHub}: \`mooring run --source URL --trust-root LEAF …\`.
`;
}

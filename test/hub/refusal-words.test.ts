/** Every refusal between a pushed commit and a running machine says, in `mooring status` as in the log: which commit or release, whose, by which rule, and what to
 *  do next. One scene for each. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { makeHubKey, hubKeyLine } from "#reconciler/signing/index.ts";
import { fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { policyText } from "#test/policy/support.ts";
import { edited } from "#test/support/fleet-tree.ts";
import { wideTree } from "#test/support/wide-tree.ts";
import { commitTo, git } from "#test/support/repo.ts";
import { Desk } from "./desk.ts";
import { type Person, RepoFleet } from "./repo-fleet.ts";

const ALL: readonly Person[] = ["a@acme.dev", "b@acme.dev", "security@acme.dev"];
const AUTHOR = /Ann <ann@example\.net>/;
const DAY = 86_400_000;

/** What has to be said. `subject` = the commit or release, `who` = its author, signers, or those whose signature is missing, `rule`, `todo` = a command or edit. */
type Words = {
  readonly code: string;
  readonly subject: string | RegExp;
  readonly who: RegExp;
  readonly rule: RegExp;
  readonly todo: RegExp;
  readonly fits?: (text: string) => boolean;
};
type Scene = { readonly name: string; readonly play: (fleet: RepoFleet) => Promise<{ readonly desk: Desk; readonly words: Words }> };

const scenes: Scene[] = [];
function scene(name: string, play: Scene["play"]): void {
  scenes.push({ name, play });
}

/** The fleet as it is, released and running. */
async function running(
  fleet: RepoFleet,
  options: Parameters<typeof Desk.open>[1] = {},
): Promise<{ readonly desk: Desk; readonly first: string }> {
  const first = await fleet.commit();
  await fleet.release(ALL);
  const desk = await Desk.open(fleet, options);
  await desk.runs(first);
  return { desk, first };
}

async function gitKey(fleet: RepoFleet, name: string, options = ""): Promise<{ readonly path: string; readonly line: string }> {
  const path = join(fleet.folder, name);
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  return { path, line: `${name}@acme.dev namespaces="git"${options} ${(await readFile(`${path}.pub`, "utf8")).trim()}` };
}

function requires(fleet: RepoFleet, require: "every" | "head", lines: readonly string[]): void {
  const tree = edited(fleet.tree, "fleet.yaml", "    lease: 48h", `    commits: { require: ${require} }\n    lease: 48h`);
  fleet.tree = { ...tree, "trust/allowed_signers": `${tree["trust/allowed_signers"] ?? ""}${lines.join("\n")}\n` };
}

function signedCommit(fleet: RepoFleet, signKey: string | null): Promise<string> {
  return commitTo(fleet.gitdir, { files: fleet.tree, branch: "main", message: "change", ...(signKey === null ? {} : { signKey }) });
}

/** A fleet under `require`, running, and then a commit that is signed with `key`, or not at all. */
async function signedBy(fleet: RepoFleet, require: "every" | "head", key: string | null, lines: readonly string[]) {
  const good = await gitKey(fleet, "good");
  requires(fleet, require, [good.line, ...lines]);
  const first = await signedCommit(fleet, good.path);
  await fleet.release(ALL);
  const desk = await Desk.open(fleet);
  await desk.runs(first);
  fleet.tree = { ...fleet.tree, "README.md": "changed\n" };
  return { desk, first, commit: await signedCommit(fleet, key) };
}

for (const require of ["every", "head"] as const)
  scene(`an unsigned commit where ${require} asks for signatures`, async (fleet) => {
    const { desk, commit } = await signedBy(fleet, require, null, []);
    const todo = require === "every" ? /git rebase .*git push --force-with-lease/ : /git commit --allow-empty -S/;
    return {
      desk,
      words: { code: "SOURCE_UNSIGNED", subject: commit, who: AUTHOR, rule: new RegExp(`commits\\.require: ${require}`), todo },
    };
  });

scene("a commit by a key that nobody knows", async (fleet) => {
  const { desk, commit } = await signedBy(fleet, "every", (await gitKey(fleet, "eve")).path, []);
  return {
    desk,
    words: {
      code: "SOURCE_UNSIGNED",
      subject: commit,
      who: /key SHA256:\S{43}, which/,
      rule: /nobody in allowed_signers/,
      todo: /git rebase/,
    },
  };
});

scene("a commit by a key whose time is over", async (fleet) => {
  const old = await gitKey(fleet, "old", ',valid-before="20200101Z"');
  const { desk, commit } = await signedBy(fleet, "every", old.path, [old.line]);
  return {
    desk,
    words: { code: "SOURCE_UNSIGNED", subject: commit, who: /SHA256:\S+ of old@acme\.dev/, rule: /valid-before/, todo: /git rebase/ },
  };
});

scene("a signer who is gone", async (fleet) => {
  const ann = await gitKey(fleet, "ann");
  const { desk } = await signedBy(fleet, "every", ann.path, [ann.line]);
  const signers = (fleet.tree["trust/allowed_signers"] ?? "").replace(`${ann.line}\n`, "");
  fleet.tree = { ...fleet.tree, "trust/allowed_signers": signers };
  const commit = await signedCommit(fleet, ann.path);
  return {
    desk,
    words: {
      code: "SOURCE_SIGNER_GONE",
      subject: commit,
      who: AUTHOR,
      rule: /commits\.require: every/,
      todo: /git show.*git commit --allow-empty -S/,
    },
  };
});

scene("a rewritten main", async (fleet) => {
  const { desk, first } = await running(fleet);
  await commitTo(fleet.gitdir, { files: fleet.tree, branch: "main", parents: [], message: "rewritten" });
  return {
    desk,
    words: {
      code: "SOURCE_NOT_FAST_FORWARD",
      subject: first,
      who: AUTHOR,
      rule: /main only ever grows/,
      todo: /git push --force origin [0-9a-f]{12}:main/,
    },
  };
});

const refusals = [
  [
    "a tree with a link",
    "machines/link.yaml",
    { mode: "120000", content: "/etc/passwd" },
    "SOURCE_TREE_REFUSED",
    /symbolic link/,
    /plain files/,
  ],
  ["a file that is too large", "machines/big.yaml", "x".repeat(2 << 20), "SOURCE_TOO_LARGE", /1048576|bytes/, /take big files out/],
  [
    "a document with a misspelt field",
    "plugins/greeter.yaml",
    /version:/,
    "FLEET_FIELD_UNKNOWN",
    /verison/,
    /remove the field|spelling|version/,
  ],
  ["a field of a later version", "plugins/greeter.yaml", / {2}machines:/, "NOT_YET", /rollout/, /./],
] as const;
for (const [name, path, change, code, rule, todo] of refusals)
  scene(name, async (fleet) => {
    const { desk } = await running(fleet);
    const misspelt = code === "NOT_YET" ? "  rollout: { canary: 2 }\n  machines:" : "verison:";
    const content = change instanceof RegExp ? (fleet.tree[path] ?? "").replace(change, misspelt) : change;
    const commit = await commitTo(fleet.gitdir, { files: { [path]: content }, branch: "main", message: "change" });
    return { desk, words: { code, subject: commit, who: AUTHOR, rule, todo } };
  });

const signings = [
  ["nobody", [], "RELEASE_INCOMPLETE", /role root: 0 of 2 signed.*role access: 0 of 1 signed.*security@acme\.dev can/],
  [
    "half of root",
    ["a@acme.dev"],
    "RELEASE_INCOMPLETE",
    /role root: 1 of 2 signed \(a@acme\.dev\) for trust, b@acme\.dev, recovery@acme\.dev can/,
  ],
  ["all but access", ["a@acme.dev", "b@acme.dev"], "RELEASE_INCOMPLETE", /role access: 0 of 1 signed for access, security@acme\.dev can/],
  ["all but release", ["security@acme.dev", "recovery@acme.dev"], "RELEASE_INCOMPLETE", /role release: 0 of 1 signed/],
] as const;
for (const [who, people, code, missing] of signings)
  scene(`a release that ${who} signed`, async (fleet) => {
    await fleet.commit();
    await fleet.release(people);
    const desk = await Desk.open(fleet);
    return {
      desk,
      words: {
        code,
        subject: /release 1-[0-9a-f]{8} lacks/,
        who: AUTHOR,
        rule: missing,
        todo: /mooring release --source URL --key FILE --as /,
      },
    };
  });

scene("a commit without any release", async (fleet) => {
  const commit = await fleet.commit();
  const desk = await Desk.open(fleet);
  return {
    desk,
    words: {
      code: "RELEASE_MISSING",
      subject: commit,
      who: /security@acme\.dev can/,
      rule: /role access: 0 of 1/,
      todo: /mooring release --source/,
    },
  };
});

scene("a secrets release that is missing", async (fleet) => {
  const { secondVersion } = await import("#test/support/fleet-tree.ts");
  const { desk } = await running(fleet);
  const commit = await fleet.commit(secondVersion());
  await fleet.release(["b@acme.dev"]);
  return {
    desk,
    words: {
      code: "RELEASE_INCOMPLETE",
      subject: commit,
      who: /a@acme\.dev, security@acme\.dev can/,
      rule: /role secrets: 0 of 1/,
      todo: /mooring release --source/,
      fits: (text) => text.includes("lacks secrets"),
    },
  };
});

scene("a role that asks for a touch, signed without one", async (fleet) => {
  const key = hardwareSigner();
  (fleet.signers as Map<string, typeof key>).set("security@acme.dev", {
    key: key.key,
    sign: (bytes, space) => key.sign(bytes, space, { flags: 0 }),
  });
  const lines = [...fleet.signers].map(([person, signer]) => `${person} ${signer.key}`);
  const tree = edited(
    fleet.tree,
    "fleet.yaml",
    "access: { principals: [security@acme.dev] }",
    "access: { principals: [security@acme.dev], touch: required }",
  );
  fleet.tree = { ...tree, "trust/allowed_signers": `${lines.join("\n")}\nvault namespaces="mooring-secrets" ${fileSigner().key}\n` };
  await fleet.commit();
  await fleet.release(ALL);
  const desk = await Desk.open(fleet);
  return {
    desk,
    words: {
      code: "RELEASE_INCOMPLETE",
      subject: /release 1-[0-9a-f]{8} lacks access/,
      who: /security@acme\.dev signed without touching/,
      rule: /role access.*touch/,
      todo: /--as security@acme\.dev/,
    },
  };
});

scene("a release that has run out before it ran", async (fleet) => {
  await fleet.commit();
  await fleet.release(ALL, { expires: fleet.now + 1000 });
  fleet.now += 2000;
  const desk = await Desk.open(fleet);
  return {
    desk,
    words: {
      code: "RELEASE_EXPIRED",
      subject: /release 1-[0-9a-f]{8} ran out on 2026-11-25/,
      who: /one of a@acme\.dev, b@acme\.dev runs/,
      rule: /spec\.trust\.expires/,
      todo: /mooring release --source/,
    },
  };
});

for (const [name, days, code, word] of [
  ["a release that grows old", 70, "RELEASE_AGEING", /runs out on 2027-02-23/],
  ["a release that ran out while it runs", 91, "RELEASE_EXPIRED", /ran out on 2027-02-23/],
] as const)
  scene(name, async (fleet) => {
    const { desk } = await running(fleet);
    fleet.now += days * DAY;
    return {
      desk,
      words: {
        code,
        subject: /release 1-[0-9a-f]{8}/,
        who: /signed by a@acme\.dev, b@acme\.dev, security@acme\.dev/,
        rule: /spec\.trust\.expires/,
        todo: /mooring release .*--key FILE --as NAME/,
        fits: (text) => word.test(text),
      },
    };
  });

scene("a tree that is back as it was under an older release", async (fleet) => {
  await fleet.commit();
  await fleet.release(ALL);
  const plugin = fleet.tree["plugins/greeter.yaml"] ?? "";
  const second = await fleet.commit({ "plugins/greeter.yaml": `${plugin}  config: { greeting: hi }\n` });
  await fleet.release(["a@acme.dev"]);
  const desk = await Desk.open(fleet);
  await desk.runs(second);
  await fleet.commit({ "plugins/greeter.yaml": plugin });
  return {
    desk,
    words: {
      code: "RELEASE_MISSING",
      subject: /release 1-[0-9a-f]{8} was for the same/,
      who: AUTHOR,
      rule: /behind the release in force/,
      todo: /mooring release --source/,
    },
  };
});

const back = { serial: 7, secretsSerial: 1, revision: "7".repeat(40), by: "machine mini-02" };
scene("releases that were taken away", async (fleet) => {
  await fleet.commit();
  await fleet.release(ALL);
  const desk = await Desk.open(fleet, { witness: () => Promise.resolve(back) });
  return {
    desk,
    words: {
      code: "REPO_ROLLED_BACK",
      subject: /release 7/,
      who: /machine mini-02 stands/,
      rule: /newest on branch mooring\/releases is 1/,
      todo: /restore main and mooring\/releases/,
    },
  };
});

scene("a commit that machines have and main lacks", async (fleet) => {
  await fleet.commit();
  await fleet.release(ALL);
  const desk = await Desk.open(fleet, { witness: () => Promise.resolve({ ...back, serial: 1 }) });
  return {
    desk,
    words: {
      code: "REPO_ROLLED_BACK",
      subject: /release 1 of commit 777777777777/,
      who: /machine mini-02 stands/,
      rule: /ancestors/,
      todo: /restore main and mooring\/releases/,
    },
  };
});

scene("a change that a policy denies", async (fleet) => {
  const policy = policyText(
    "no-longer",
    "match: { kinds: [SecretGrant] }\nvalidations:\n  - { expression: object.spec.expires < '2029', message: too long }",
  );
  await fleet.commit({ "policies/no-longer.yaml": policy });
  const { desk } = await running(fleet);
  const commit = await fleet.commit({
    "grants/greeter.yaml": (fleet.tree["grants/greeter.yaml"] ?? "").replace(/expires: .*/, "expires: 2031-01-01"),
  });
  await fleet.release(ALL);
  return {
    desk,
    words: { code: "POLICY_DENIED", subject: commit, who: AUTHOR, rule: /no-longer\/1/, todo: /policies\/no-longer\.yaml is met/ },
  };
});

scene("a change that a policy wants approved", async (fleet) => {
  const policy = policyText(
    "ask-ops",
    "match: { kinds: [SecretGrant] }\nowners: [ops@acme.dev]\nvalidations:\n  - { expression: \"change.action == 'keep'\", level: require-approval, message: ask }",
  );
  await fleet.commit({ "policies/ask-ops.yaml": policy });
  const { desk } = await running(fleet);
  await fleet.commit({ "grants/greeter.yaml": (fleet.tree["grants/greeter.yaml"] ?? "").replace(/expires: .*/, "expires: 2027-01-01") });
  await fleet.release(ALL);
  return {
    desk,
    words: {
      code: "POLICY_APPROVAL_NEEDED",
      subject: /released as 2-[0-9a-f]{8}|"release":"2-[0-9a-f]{8}"/,
      who: /ops@acme\.dev/,
      rule: /ask-ops\/1/,
      todo: /`mooring release --source URL --key FILE --as/,
    },
  };
});

scene("a change that takes much away", async (fleet) => {
  fleet.tree = { ...wideTree(10), "trust/allowed_signers": fleet.tree["trust/allowed_signers"] ?? "" };
  const { desk } = await running(fleet);
  const gone = Object.keys(fleet.tree).filter((path) => /^machines\/m-0[0-4]/.test(path));
  const commit = await fleet.commit(Object.fromEntries(gone.map((path) => [path, null])));
  await fleet.release(ALL);
  return {
    desk,
    words: {
      code: "PRUNE_UNCONFIRMED",
      subject: commit,
      who: /ops@acme\.dev/,
      rule: /maxDeletePercent/,
      todo: /mooring prune confirm --source URL --key FILE --as/,
    },
  };
});

scene("a wrong trust root", async (fleet) => {
  const commit = await fleet.commit();
  await fleet.release(ALL);
  const { digestOf } = await import("#base/canonical/index.ts");
  const pin = digestOf("another fleet");
  const desk = await Desk.open(fleet, { pin });
  return {
    desk,
    words: {
      code: "TRUST_ROOT_UNPROVEN",
      subject: commit,
      who: /release 1-[0-9a-f]{8}.*signed by a@acme\.dev/,
      rule: new RegExp(`trust root ${pin}`),
      todo: /mooring trust-root/,
    },
  };
});

scene("a release in a resolver form of a newer version", async (fleet) => {
  const { desk } = await running(fleet);
  const kept = fleet.tree;
  const greeting = (text: string): string => `${kept["plugins/greeter.yaml"] ?? ""}  config: { greeting: ${text} }\n`;
  fleet.tree = { ...kept, "plugins/greeter.yaml": greeting("as the newer version resolves it") };
  await fleet.release(ALL, { resolver: 2 });
  fleet.tree = kept;
  await fleet.commit({ "plugins/greeter.yaml": greeting("hi") });
  return {
    desk,
    words: {
      code: "RESOLVER_UNKNOWN",
      subject: /release 2-[0-9a-f]{8}, signed by a@acme\.dev, b@acme\.dev, security@acme\.dev, is in resolver form 2/,
      who: /signed by a@acme\.dev/,
      rule: /this version resolves form 1/,
      todo: /run a version of mooring/,
    },
  };
});

/** The fleet with role release given to its hub. */
async function byHub(fleet: RepoFleet, line: string): Promise<void> {
  const good = await gitKey(fleet, "good");
  requires(fleet, "every", [good.line, line]);
  fleet.tree = edited(fleet.tree, "fleet.yaml", "release: { principals: [a@acme.dev, b@acme.dev] }", "release: { by: hub }");
  await signedCommit(fleet, good.path);
  await fleet.release(ALL);
}

scene("a hub that is to sign and has no key", async (fleet) => {
  await byHub(fleet, hubKeyLine({ key: fileSigner().key }));
  const desk = await Desk.open(fleet);
  return {
    desk,
    words: {
      code: "HUB_KEY_UNUSABLE",
      subject: await git(fleet.gitdir, "rev-parse", "main"),
      who: /waits for this hub/,
      rule: /role release is by: hub/,
      todo: /mooring hub-key --dir DIR/,
    },
  };
});

scene("a hub whose key is not the one that root named", async (fleet) => {
  await byHub(fleet, hubKeyLine({ key: fileSigner().key }));
  const dir = join(fleet.folder, "key");
  await mkdir(dir);
  const desk = await Desk.open(fleet, { key: await makeHubKey(dir) });
  return {
    desk,
    words: {
      code: "HUB_KEY_UNUSABLE",
      subject: await git(fleet.gitdir, "rev-parse", "main"),
      who: /principal hub/,
      rule: /role release is by: hub/,
      todo: /mooring hub-key --dir DIR/,
    },
  };
});

/** A commit shows as its first digits. */
function subjectOf(subject: string | RegExp): RegExp {
  return typeof subject === "string" ? new RegExp(subject.trim().slice(0, 12)) : subject;
}

for (const { name, play } of scenes)
  test(`status and log say of ${name}: which commit or release, whose, which rule, what to do`, async () => {
    const fleet = await RepoFleet.make();
    let desk: Desk | null = null;
    try {
      const played = await play(fleet);
      desk = played.desk;
      const { code, subject, who, rule, todo, fits } = played.words;
      const shown = await desk.shows(code, fits);
      for (const [form, said] of Object.entries({ text: shown.text, json: shown.json, log: shown.log })) {
        for (const part of [subjectOf(subject), who, rule, todo])
          assert.match(said.replaceAll('\\"', '"'), part, `${form}\n${shown.text}\n${shown.log}`);
        assert.doesNotMatch(said, /undefined|\bat \S+\.ts:|Error:|ENOENT|sha1|fatal:/, form);
      }
      if (process.env["SHOW"] !== undefined) process.stdout.write(`\n== ${name}\n${shown.text}\n${shown.log}`);
    } finally {
      await desk?.close();
      await fleet.close();
    }
  });

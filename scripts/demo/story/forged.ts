import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { canonBytes, digestBytes, digestOf, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { timeOf } from "#base/time/index.ts";
import { demandOutcome, openFleet } from "#cli/fleet/open.ts";
import { buildProof, composeRelease, type Holds, readKnown, RELEASE_NAMESPACE } from "#proof/release/index.ts";
import { indexOf, machineRoot } from "#proof/root/index.ts";
import { agentClient } from "#reconciler/agents/index.ts";
import { trustOf } from "#reconciler/revision/index.ts";
import { connect, pinsOf } from "#reconciler/ssh/index.ts";
import type { ApplyRequest, Bytes64, Hello, MachineId, ReleaseProof, Revision, Section } from "#schemas/wire/index.ts";
import type { Machine } from "../machines.ts";
import type { Chapter, Say, Stage } from "../stage.ts";
import { DemoFailure } from "../wait.ts";

const DAY_MS = 86_400_000;

/** Somebody holds the hub's SSH key and everything the hub knows, and asks a machine for what nobody signed. */
export const forged: Chapter = {
  title: "A hostile hub, with the hub's own SSH key, sends what nobody signed",
  run: async (stage, say) => {
    const target = stage.machines[1];
    if (target === undefined) throw new DemoFailure("no machine to attack");
    const watch = stage.watch(target.name);
    const before = await watch.hello();
    const codes = await attack(stage, target, before, say);
    const after = await watch.hello();
    const isUnchanged =
      after.root === before.root && after.generation === before.generation && after.release?.digest === before.release?.digest;
    if (isUnchanged) say(`${target.name}: root and generation as before`);
    return { forged: { refused: codes.every((code) => code !== null) && isUnchanged } };
  },
};

/** Two tries over a real SSH link; the code of each refusal, null for one that was taken. */
async function attack(stage: Stage, { name, sshd }: Machine, hello: Hello, say: Say): Promise<readonly (string | null)[]> {
  const stop = new AbortController();
  const pins = pinsOf([sshd.hostKey], name);
  const host = { name, address: "127.0.0.1", port: sshd.port, username: stage.world.account.name, pins };
  const client = agentClient(name, await connect(host, { privateKey: stage.hub.privateKey, signal: stop.signal }), stop.signal);
  try {
    const codes: (string | null)[] = [];
    for (const [what, request] of Object.entries(await forgeries(stage, name, hello))) {
      const id = Buffer.from(digestBytes(digestOf(canonBytes(request)))).toString("hex");
      const code = await client.apply(id, request).then(() => null, codeOf);
      say(`${what}: ${code === null ? "TAKEN" : `refused, ${code}`}`);
      codes.push(code);
    }
    return codes;
  } finally {
    stop.abort();
    client.close();
  }
}

function codeOf(err: unknown): string {
  if (err instanceof MooringError && err.disposition === "refused") return err.code;
  throw err;
}

async function forgeries(stage: Stage, name: string, hello: Hello): Promise<Readonly<Record<string, ApplyRequest>>> {
  const { world, operator, hub } = stage;
  if (hello.release === null) throw new DemoFailure("the machine runs no release yet");
  const fleet = await openFleet({ source: operator.url, cache: join(world.root, "hostile") });
  const outcome = await demandOutcome(fleet, fleet.main);
  const { resolved, roots } = outcome;
  const branch = await fleet.branchFor(resolved.fleet);
  const head = branch.releases.find(({ release }) => release.digest === hello.release?.digest);
  const own = resolved.machines.get(name as MachineId);
  if (head === undefined || own === undefined) throw new DemoFailure("the hostile hub does not find the release in force");
  const sections = own.sections.map((section) =>
    section.kind === "plugin" && section.name === "greeter" ? { ...section, config: { evil: true } } : section,
  );
  const trees = roots.trees.with(new Map([[name, indexOf(sections)]]));
  const now = Date.now();
  const bytes = composeRelease({
    fleet: resolved.fleet,
    prev: { doc: head.release.doc, bytes: head.release.bytes },
    resolver: 1,
    roots: trees.roots,
    trustLeaf: resolved.trustLeaf,
    lifts: head.release.doc.lifts,
    issued: timeOf(now - 1_000),
    expires: timeOf(now + DAY_MS),
  });
  const holds: Holds = { trust: hello.trust, serial: hello.release.serial };
  const trust = trustOf(resolved);
  const secrets = branch.secrets[0] ?? null;
  const common = { machine: name, releases: branch.releases, holds, secrets, sections: [trust] };
  const honest = buildProof({ ...common, head, trees: roots.trees });
  const own_ = readKnown({ bytes, sigs: [signAs(hub.sshKeyFile, bytes)], trust: trust.bytes }, resolved.fleet);
  const selfSigned = buildProof({ ...common, head: own_, trees });
  const request = (release: ReleaseProof): ApplyRequest => ({
    v: 1,
    epoch: hello.epoch,
    revision: outcome.revision as Revision,
    root: machineRoot(resolved.fleet, name, indexOf(sections)),
    ifRoot: hello.root,
    ifGeneration: hello.generation,
    desired: toBase64(canonBytes({ v: 1, fleet: resolved.fleet, machine: name, sections: sections as readonly Section[] })) as Bytes64,
    release,
  });
  return {
    "another plugin configuration under the release people signed": request(honest),
    "a release of its own, signed with its own key": request(selfSigned),
  };
}

/** What the hostile hub has is its SSH key; ssh-keygen signs with it like with any other. */
function signAs(keyFile: string, bytes: Uint8Array): string {
  return execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", RELEASE_NAMESPACE, "-f", keyFile], {
    input: bytes,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
}

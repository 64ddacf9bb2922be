import { startBundles } from "./bundles.ts";
import { type Machine, makeMachine, NAMES, whichSshd } from "./machines.ts";
import { addSecret, bringGrants, enterMachine, makeOperator, type Operator } from "./operator.ts";
import { makeHub, makeVault } from "./services.ts";
import type { Say, Stage } from "./stage.ts";
import { DemoFailure } from "./wait.ts";
import { watchMachine } from "./watch.ts";
import type { World } from "./world.ts";

const FLEET = "acme";

/** Makes machines, git, vault and hub of one world, and releases the first state; nothing runs on the machines before that. */
export async function setStage(world: World, say: Say): Promise<Stage> {
  const bundles = await startBundles(world);
  const vault = await makeVault(world, FLEET);
  const hub = makeHub(world);
  const [operator, machines] = await Promise.all([
    makeOperator(world, vault.keys, bundles),
    Promise.all(NAMES.map((name) => makeMachine(world, name, FLEET, hub.publicKey))),
  ]);
  for (const line of facts(world, machines)) say(line);
  for (const machine of machines) enterMachine(operator, machine);
  const greeter = await bundles.publish("1.0.0", 1);
  await operator.mustMooring(["plugin", "pin", greeter, "--repo", operator.clone, "--url", bundles.url(greeter)]);
  say(`the fleet repo, over HTTP: ${operator.url}`);
  const trust = await trustOf(operator);
  await addSecret(operator, trust, "team/greeting", world.canary);
  bringGrants(operator);
  await operator.push("Three machines, one plugin, one secret");
  await vault.start(trust);
  await Promise.all(machines.map((machine) => machine.start(trust)));
  const watches = new Map(machines.map((machine) => [machine.name, watchMachine(machine)]));
  world.onClose(() => watches.forEach((watch) => watch.close()));
  await hub.start(operator.url, vault.socket, trust);
  return {
    world,
    bundles,
    vault,
    hub,
    operator,
    machines,
    trust,
    watch: (name) => {
      const watch = watches.get(name);
      if (watch === undefined) throw new DemoFailure(`no machine ${name}`);
      return watch;
    },
  };
}

/** How real it is, and where it is not: nothing of this is left unsaid. */
function facts({ uids, whyOneUid, code }: World, machines: readonly Machine[]): readonly string[] {
  const { kind, why } = whichSshd();
  const ports = machines.map(({ sshd }) => sshd.port).join(", :");
  return [
    `three machines, each with an sshd of its own (${kind === "openssh" ? "OpenSSH" : "ssh2's server"}) at 127.0.0.1:${ports}`,
    ...(why === null ? [] : [`no OpenSSH: ${why}`]),
    uids === null
      ? `no isolation: everything runs under one uid, by --insecure-one-uid, because ${whyOneUid ?? "?"}`
      : "hub, vault, and on each machine bridge, egress and every plugin run under uids of their own",
    "keys are software keys, files of this run: fit for a demo, not for a fleet",
    ...(code.isCopy ? ["this checkout is closed to other users: its code runs from a copy in the demo's folder"] : []),
  ];
}

/** The leaf that people compare and pin before anything is released. */
async function trustOf(operator: Operator): Promise<string> {
  return (await operator.mustMooring(["trust-root", "--dir", operator.clone])).trim();
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { release } from "../sign.ts";
import { addSecret } from "../operator.ts";
import { type Chapter, holdings } from "../stage.ts";

const GRANT = `apiVersion: mooring/v1
kind: SecretGrant
metadata:
  name: farewell
spec:
  plugin: farewell
  machines: { labels: { role: greeter } }
  secrets:
    - { ref: secret://team/farewell, delivery: fd }
  expires: 2028-01-01
`;

/** Who may use a secret is for the access role to say; the release role alone changes nothing. */
export const grant: Chapter = {
  title: "A second plugin asks for a secret of its own: the release role alone can't grant it",
  run: async (stage, say) => {
    const { operator, bundles, hub, world } = stage;
    const file = await bundles.publish("1.0.0", 1, "farewell");
    const before = await holdings(stage);
    mkdirSync(join(operator.clone, "grants"), { recursive: true });
    writeFileSync(join(operator.clone, "grants/farewell.yaml"), GRANT);
    writeFileSync(join(operator.clone, "plugins/farewell.yaml"), pluginDocument(bundles.url(file)));
    await operator.mustMooring(["plugin", "pin", file, "--repo", operator.clone, "--url", bundles.url(file)]);
    await addSecret(operator, stage.trust, "team/farewell", world.canary);
    const commit = await operator.push("farewell: a second plugin, with a secret of its own");
    await release(stage, ["a"]);
    const status = await hub.when(
      "waits for the access role alone",
      30_000,
      ({ awaiting }) =>
        awaiting?.revision === commit &&
        awaiting.missing.some(({ role }) => role === "access") &&
        awaiting.missing.every(({ role }) => role !== "release"),
    );
    const missing = status.awaiting?.missing.map(({ role }) => role) ?? [];
    say(`a@acme.dev signed; still missing: ${missing.join(", ")} (${status.awaiting?.missing[0]?.principals.join(", ") ?? ""})`);
    await sleep(1_500); // a poll and more
    const isUnchanged = (await holdings(stage)) === before;
    if (isUnchanged) say("until then: nothing changed on any machine");
    const signedMs = await release(stage, ["security"]);
    stage.watch("mini-01").follow("farewell");
    const used = await stage.watch("mini-01").line("the second plugin uses its secret", /^farewell ok \(\d+ bytes/, 0, 60_000);
    say(`security@acme.dev signed; ${Math.round(used.atMs - signedMs)} ms later, mini-01: "${used.text}"`);
    await hub.when("all machines in sync", 30_000, ({ machines }) => machines.every(({ inSync }) => inSync));
    return { roles: { missing, refusedUntilSigned: isUnchanged } };
  },
};

function pluginDocument(url: string): string {
  return `apiVersion: mooring/v1
kind: Plugin
metadata:
  name: farewell
spec:
  version: 0.0.1
  source: { url: "${url}" }
  digest: sha256:${"0".repeat(64)}
  verify: { key: trust/keys/release.pub }
  machines: { labels: { role: greeter } }
`;
}

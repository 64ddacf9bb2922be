import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { canon, digestOf, fromBase64, readCanonical } from "#base/canonical/index.ts";
import { lineLog } from "#base/log/index.ts";
import { parseArgs } from "#lobster/cli/args.ts";
import { adminAt } from "#lobster/cli/admin.ts";
import { keepEgress } from "#lobster/cli/egress.ts";
import { entriesOf } from "#lobster/cli/entries.ts";
import { uidsOf } from "#lobster/cli/uids.ts";
import { verifyMachine } from "#lobster/cli/verify.ts";
import { initMachine, layoutOf } from "#lobster/init/index.ts";
import { machineStatement } from "#schemas/wire/index.ts";

const REPO = join(import.meta.dirname, "../..");
const entries = entriesOf(join(REPO, "lobster/cli/main.ts"));
const dir = mkdtempSync(join(tmpdir(), "in-"));
after(() => rmSync(dir, { recursive: true }));

const good = {
  v: 1,
  fleet: "acme",
  machine: "mini-01",
  incarnation: 1,
  trust: digestOf("trust"),
  driver: "software",
  allowSoftwareKeys: true,
};

function initWith(pins: unknown, root = join(dir, "m"), bridgeEntry = entries.bridge): ReturnType<typeof initMachine> {
  const pinsFile = join(dir, "pins.json");
  writeFileSync(pinsFile, typeof pins === "string" ? pins : canon(pins));
  return initMachine({ layout: layoutOf(root), pinsFile, uids: null, bridgeEntry, agentEntry: entries.agent });
}

test("the statement names the machine and its keys and verifies under its own signing key", async () => {
  const { bytes, sig } = await initWith(good);
  const statement = machineStatement.parse(readCanonical(fromBase64(bytes, "bytes")));
  assert.deepEqual([statement.fleet, statement.machine, statement.incarnation, statement.driver], ["acme", "mini-01", 1, "software"]);
  assert.match(statement.kx, /^age1tag1/);
  const key = createPublicKey({ key: Buffer.from(statement.sig, "base64"), format: "der", type: "spki" });
  const signed = Buffer.concat([Buffer.from("mooring/attest/v1\n"), fromBase64(bytes, "bytes")]);
  assert.ok(verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, fromBase64(sig, "sig")));
  assert.equal((await initWith({ ...good, trust: digestOf("later") })).bytes, bytes, "another pin keeps the keys");
  assert.equal(statSync(join(dir, "m/bridge")).mode & 0o777, 0o700);
});

test("pins of another machine, of another form, or with a driver nobody allowed are refused", async () => {
  await initWith(good);
  for (const pins of [
    { ...good, machine: "mini-02" },
    { ...good, incarnation: 2 },
    { ...good, fleet: "other" },
    { ...good, more: 1 },
    { ...good, allowSoftwareKeys: false },
    "{",
    "null",
  ]) {
    await assert.rejects(initWith(pins), { code: "PINS_REFUSED" });
  }
  const nowhere = {
    layout: layoutOf(join(dir, "n")),
    pinsFile: join(dir, "none"),
    uids: null,
    bridgeEntry: entries.bridge,
    agentEntry: entries.agent,
  };
  await assert.rejects(initMachine(nowhere), { code: "PINS_REFUSED" });
});

test("a bridge that makes no keys is KEYS_NOT_MADE", async () => {
  const entry = join(dir, "ends.mjs");
  writeFileSync(entry, "process.exit(1);");
  await assert.rejects(initWith(good, join(dir, "k"), entry), { code: "KEYS_NOT_MADE" });
});

test("nobody gets one uid for everything without asking for it", async () => {
  const args = parseArgs(["serve", "--root", join(dir, "u")]);
  assert.ok(args);
  await assert.rejects(uidsOf(args, 1_000), { code: "ONE_UID" });
  await assert.rejects(uidsOf(args, 0), { code: "ONE_UID" });
  assert.equal(await uidsOf({ ...args, isOneUid: true }, 1_000), null);
  assert.equal((await uidsOf({ ...args, uids: 700 }, 0))?.pluginFirst, 710);
  mkdirSync(join(dir, "u/etc"), { recursive: true });
  writeFileSync(join(dir, "u/etc/uids.json"), '{"bridge":0}');
  await assert.rejects(uidsOf(args, 0), { code: "UIDS_UNREADABLE" });
});

test("an agent that does not run is AGENT_UNREACHABLE", async () => {
  await assert.rejects(adminAt(join(dir, "none.sock")).json("GET", "/v1/status"), { code: "AGENT_UNREACHABLE" });
});

test("an egress that does not come up is EGRESS_NOT_STARTED; one that does is kept running until it is stopped", async () => {
  const log = lineLog(() => undefined, Date.now);
  const entry = join(dir, "ends.mjs");
  writeFileSync(entry, "process.exit(1);");
  await assert.rejects(keepEgress({ entry, socket: join(dir, "e.sock"), uid: null, execArgv: [], log }), { code: "EGRESS_NOT_STARTED" });
  const egress = await keepEgress({ entry: entries.egress, socket: join(dir, "e.sock"), uid: null, execArgv: [], log });
  await egress.stop();
});

test("verify refuses a generation that is not whole", async () => {
  const layout = layoutOf(join(dir, "v"));
  mkdirSync(join(layout.generations, "1"), { recursive: true });
  assert.deepEqual(await verifyMachine(layout, null, entries.verifyLog), { text: "no generation yet\n", isWhole: true });
  symlinkSync("1", join(layout.generations, "current"));
  await assert.rejects(verifyMachine(layout, null, entries.verifyLog), { code: "AGENT_STATE_WRONG" });
});

test("the shims find their folder through links and from any folder", () => {
  mkdirSync(join(dir, "elsewhere"));
  // a checkout with a stand-in for Node shows what the shim would run
  const fake = join(dir, "checkout");
  for (const folder of ["bin", "node_modules/.bin", "dist"]) mkdirSync(join(fake, folder), { recursive: true });
  writeFileSync(join(fake, "node_modules/.bin/node"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  writeFileSync(join(fake, "dist/openclaw-lobster.mjs"), "");
  for (const [name, entry] of [
    ["openclaw-lobster", "dist/openclaw-lobster.mjs"],
    ["mooring", "cli/main.ts"],
    ["mooring-vault", "enclave-bridge/vault/main.ts"],
  ] as const) {
    execFileSync("cp", [join(REPO, "bin", name), join(fake, "bin", name)]);
    symlinkSync(`../checkout/bin/${name}`, join(dir, "elsewhere", name));
    const said = execFileSync(join(dir, "elsewhere", name), ["status", "a b"], { cwd: "/", encoding: "utf8" });
    assert.ok(said.trim().endsWith(`${fake}/${entry} status a b`), said);
    assert.equal(said.includes("--disable-sigusr1"), name !== "mooring");
  }
});

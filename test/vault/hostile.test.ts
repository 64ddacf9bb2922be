import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf, fromBase64 } from "#base/canonical/index.ts";
import { msOf, timeOf } from "#base/time/index.ts";
import { type AuditEntry, type AuditLog, folderReader, openLog, verifyLog } from "#bridge/log/index.ts";
import { LOCKED, SODIUM_CHACHA } from "#bridge/memory.ts";
import { initVault, loadKeys, makeVault, pinTrust, readConfig, type Vault, type VaultKeys, VaultStore } from "#bridge/vault/index.ts";
import type { Envelope, SealRequest } from "#schemas/wire/index.ts";
import { openEnvelope, verifyEnvelope, verifyLease } from "#seal/envelope/index.ts";
import { ageFile, base64, bundleOf, FLEET, SignedFleet, type TestMachine } from "./fleet.ts";
import { fileSigner } from "#test/proof/signer.ts";

const NOW = Date.UTC(2026, 10, 25, 12);
const REF = "secret://team/imap";
const ends: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

type World = {
  fleet: SignedFleet;
  vault: Vault;
  keys: VaultKeys;
  file: Uint8Array;
  mini: TestMachine;
  clock: { now: number };
  dir: string;
  entries: () => Promise<readonly AuditEntry[]>;
  reopen: () => Promise<Vault>;
};

/** One fleet, one machine with one plugin that may use one secret, and a vault that has seen nothing yet. */
async function world(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "mv-"));
  ends.push(() => rm(dir, { recursive: true }));
  const made = await initVault({ dir, fleet: FLEET, trust: null, insecurePlainKeys: true });
  const fleet = new SignedFleet(NOW, made.signer.key); // its trust names the vault's key, so the pin comes after
  await pinTrust(dir, fleet.trust.leaf);
  const file = await ageFile(made.recipient, REF, 3, "s3cret");
  const mini = fleet.machine("mini-01").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  const clock = { now: NOW };
  const keys = await loadKeys(dir);
  const origin = `mooring/${FLEET}/vault`;
  const signer = keys.noteSigner(origin);
  let log: AuditLog | null = null;
  ends.push(async () => await log?.close());
  /** The vault as a new process has it; the old one is over. */
  const reopen = async (): Promise<Vault> => {
    await log?.close();
    log = await openLog({ dir: join(dir, "log"), origin, signer, now: () => clock.now });
    return makeVault({ config: await readConfig(dir), keys, store: await VaultStore.open(dir), log, now: () => clock.now, uid: 0 });
  };
  const entries = async () => (await verifyLog(folderReader(join(dir, "log")), origin, signer)).entries;
  return { fleet, vault: await reopen(), keys, file, mini, clock, dir, entries, reopen };
}

function only(envelopes: readonly { envelope: Envelope }[]): Envelope {
  assert.equal(envelopes.length, 1);
  return (envelopes[0] as { envelope: Envelope }).envelope;
}

const opened = async (envelope: Envelope, machine: TestMachine): Promise<string> =>
  await (await openEnvelope(envelope, machine.ecdh, machine.point, LOCKED, SODIUM_CHACHA)).reveal((bytes) => bytes.toString());

test("what a release proves is sealed to the machine, and logged before it is answered", async () => {
  const { fleet, vault, file, mini, entries } = await world();
  fleet.release();
  const { envelopes, refused, lease } = await vault.seal(fleet.request(mini, [file]));
  assert.deepEqual(refused, []);
  const envelope = only(envelopes);
  const binding = verifyEnvelope(envelope, fleet.trust.section.vaultKeys, 1);
  assert.equal(binding.machine, "mini-01");
  assert.equal(binding.key, digestOf(mini.kx));
  assert.equal(binding.bundle, bundleOf("mail"));
  assert.equal(binding.version, 3);
  assert.ok(binding.notBefore < timeOf(NOW) && binding.notAfter > timeOf(NOW));
  assert.equal(await opened(envelope, mini), "s3cret");
  assert.ok(lease !== null);
  assert.equal(msOf(verifyLease(lease, fleet.trust.section.vaultKeys, 1).notAfter), NOW + 3_600_000);
  const log = await entries();
  assert.deepEqual(
    log.map(({ op, machine, ref, version, plugin }) => [op, machine, ref, version, plugin]),
    [
      ["vault.open", "mini-01", REF, 3, "mail"],
      ["vault.seal", "mini-01", REF, 3, "mail"],
      ["lease.issue", "mini-01", null, null, null],
    ],
  );
});

test("serials of bindings and leases only grow, also over restarts of the vault", async () => {
  const { fleet, vault, file, mini, reopen } = await world();
  fleet.release();
  const serials: number[] = [];
  let one = vault;
  for (const isRestarted of [false, false, true, true]) {
    if (isRestarted) one = await reopen();
    const { envelopes, lease } = await one.seal(fleet.request(mini, [file]));
    serials.push(verifyEnvelope(only(envelopes), fleet.trust.section.vaultKeys, 1).bindingSerial);
    assert.ok(lease !== null);
    assert.equal(verifyLease(lease, fleet.trust.section.vaultKeys, 1).serial, serials.length);
  }
  assert.deepEqual(serials, [1, 2, 3, 4]);
});

test("two requests at once get different serials", async () => {
  const { fleet, vault, file, mini } = await world();
  fleet.release();
  const answers = await Promise.all([1, 2, 3].map(() => vault.seal(fleet.request(mini, [file]))));
  const serials = answers.map(({ envelopes }) => verifyEnvelope(only(envelopes), fleet.trust.section.vaultKeys, 1).bindingSerial);
  assert.equal(new Set(serials).size, 3);
});

/** The bytes of a desired state after `change` to its parsed form. */
function bent(request: SealRequest, change: (sections: Record<string, unknown>[]) => void): SealRequest {
  const desired = JSON.parse(Buffer.from(fromBase64(request.desired, "desired")).toString()) as { sections: Record<string, unknown>[] };
  change(desired.sections);
  return { ...request, desired: base64(Buffer.from(JSON.stringify(desired))) };
}

test("a grant, key, version or bundle that no release proves gets nothing, and the attempt is logged", async () => {
  const { fleet, vault, keys, file, mini, entries } = await world();
  fleet.release();
  const evil = await ageFile(keys.recipient, REF, 4, "evil");
  const request = fleet.request(mini, [file, evil]);
  const set = (kind: string, name: string, value: unknown) => (sections: Record<string, unknown>[]) => {
    for (const section of sections) if (section["kind"] === kind) section[name] = value;
  };
  const attempts = [
    set("identity", "kx", fleet.machine("thief").kx),
    set("secret", "version", 4),
    set("secret", "file", digestOf(evil)),
    set("plugin", "bundle", bundleOf("evil")),
    set("grant", "grant", { subject: "mail", ref: "secret://team/other", delivery: { mode: "fd" }, expires: null }),
  ];
  for (const change of attempts)
    await assert.rejects(vault.seal(bent(request, change)), (err: { code: string }) =>
      ["ROOT_MISMATCH", "DESIRED_MALFORMED"].includes(err.code),
    );
  assert.deepEqual(
    (await entries()).map(({ op, outcome }) => `${op} ${outcome}`),
    attempts.map(() => "vault.deny denied"),
  );
});

test("a kx swapped together with the key of its grants is not what people signed", async () => {
  const { fleet, vault, file, mini } = await world();
  const thief = fleet.machine("thief");
  fleet.release();
  const swapped = bent(fleet.request(mini, [file]), (sections) => {
    for (const section of sections) {
      if (section["kind"] === "identity") section["kx"] = thief.kx;
      if (section["kind"] === "grant") section["key"] = digestOf(thief.kx);
    }
  });
  await assert.rejects(vault.seal(swapped), { code: "ROOT_MISMATCH" });
});

test("a release that nobody of the fleet signed gets nothing", async () => {
  const { fleet, vault, file, mini } = await world();
  fleet.release({ signer: fileSigner() });
  await assert.rejects(vault.seal(fleet.request(mini, [file])), { code: "RELEASE_UNPROVEN" });
  await assert.rejects(vault.lease(fleet.request(mini, [])), { code: "RELEASE_UNPROVEN" });
});

test("an old release is refused after a newer one, also for a machine the vault has never seen, also after a restart", async () => {
  const { fleet, vault, file, mini, reopen } = await world();
  const other = fleet.machine("mini-02").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  fleet.release();
  const oldMini = fleet.request(mini, [file]);
  const oldOther = fleet.request(other, [file]);
  other.sections = other.sections.filter(({ kind }) => kind !== "grant");
  mini.addPlugin("second");
  fleet.release();
  await vault.seal(fleet.request(mini, [file]));
  for (const again of [() => vault, reopen]) {
    const one = await again();
    await assert.rejects(one.seal(oldMini), { code: "SERIAL_OLD" });
    await assert.rejects(one.lease(oldMini), { code: "SERIAL_OLD" });
    await assert.rejects(one.seal(oldOther), { code: "SERIAL_OLD" });
  }
});

test("a root key that was rolled away leads nowhere: not for a new machine, nor for one that the vault has not seen since", async () => {
  const { fleet, vault, file, mini, reopen } = await world();
  const sleeper = fleet.machine("mini-02").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  fleet.release();
  await vault.seal(fleet.request(sleeper, [file]));
  const thief = forkOf(fleet, file);
  fleet.rollTo(fleet.alice, fileSigner());
  await vault.seal(fleet.request(mini, [file]));
  for (const again of [async () => vault, reopen]) {
    const one = await again();
    thief.rollTo(fleet.alice, fileSigner()); // under the serial of the real one, then under the next
    for (const machine of thief.machines)
      for (const holds of [{ pin: fleet.pin }, { trust: fleet.pin, serial: 1 }])
        await assert.rejects(one.seal(thief.request(machine, [file], holds)), { code: "TRUST_BROKEN" });
  }
  const late = fleet.machine("mini-03").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  fleet.release();
  for (const machine of [sleeper, late])
    only((await (await reopen()).seal(fleet.request(machine, [file], { trust: fleet.trust.leaf, serial: 1 }))).envelopes);
});

/** The fleet as it is now, in the hands of who has alice's key: with a machine of his own. */
function forkOf(fleet: SignedFleet, file: Uint8Array): SignedFleet {
  const thief = new SignedFleet(NOW, fleet.vaultKey, fleet);
  for (const name of ["mini-02", "mini-99"])
    thief.machine(name).addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  thief.release(); // his secrets release comes after the fleet's own
  thief.releases.splice(0, 1, ...fleet.releases);
  return thief;
}

test("one machine's desired state opens nothing for another", async () => {
  const { fleet, vault, file, mini } = await world();
  const other = fleet.machine("mini-02").addPlugin("mail");
  fleet.release();
  const request = fleet.request(mini, [file]);
  await assert.rejects(vault.seal({ ...request, machine: other.name }), { code: "DESIRED_MALFORMED" });
  const own = fleet.request(other, [file]);
  await assert.rejects(vault.seal({ ...own, desired: request.desired }), { code: "DESIRED_MALFORMED" });
});

test("an age file that is swapped, renamed, missing or not for the vault is refused by name", async () => {
  const { fleet, vault, keys, file, mini } = await world();
  fleet.release();
  const request = fleet.request(mini, [file]);
  const code = async (one: SealRequest): Promise<string | undefined> => {
    const { envelopes, refused } = await vault.seal(one);
    assert.deepEqual(envelopes, []);
    return refused[0]?.code;
  };
  assert.equal(await code({ ...request, files: {} }), "SECRET_FILE_MISSING");
  const other = await ageFile(keys.recipient, REF, 3, "evil");
  assert.equal(await code({ ...request, files: { [digestOf(file)]: base64(other) } }), "SECRET_FILE_MISMATCH");
  const cases = [
    [await ageFile(keys.recipient, "secret://team/other", 3, "x"), "SECRET_FILE_MISMATCH"],
    [await ageFile(keys.recipient, REF, 2, "x"), "SECRET_FILE_MISMATCH"],
    [await ageFile("age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h", REF, 3, "x"), "AGE_NOT_FOR_US"],
    [Buffer.from("no age file"), "AGE_MALFORMED"],
    [await ageFile(keys.recipient, REF, 3, "x".repeat(129 * 1024)), "SECRET_TOO_LARGE"],
  ] as const;
  for (const [signed, want] of cases) {
    mini.addSecret("team/imap", 3, signed); // people signed the wrong file: its inside still tells
    fleet.release();
    assert.equal(await code(fleet.request(mini, [signed])), want);
  }
});

test("grants that can't be used are refused one by one, the others are sealed", async () => {
  const { fleet, vault, file, mini } = await world();
  mini
    .addGrant("absent", "team/imap")
    .addGrant("gateway", "team/imap", { mode: "resolve" })
    .addPlugin("late")
    .addGrant("late", "team/none");
  mini.addPlugin("past").addGrant("past", "team/imap", { expires: timeOf(NOW - 1) });
  fleet.release();
  const { envelopes, refused } = await vault.seal(fleet.request(mini, [file]));
  assert.deepEqual(
    envelopes.map(({ grant }) => grant),
    ["mail-team-imap"],
  );
  assert.deepEqual(Object.fromEntries(refused.map(({ grant, code }) => [grant, code])), {
    "absent-team-imap": "GRANT_UNUSABLE",
    "gateway-team-imap": "NOT_YET",
    "late-team-none": "SECRET_UNPROVEN",
    "past-team-imap": "GRANT_EXPIRED",
  });
});

test("an envelope ends with its grant, and no later than a release would", async () => {
  const { fleet, vault, file, mini } = await world();
  const expires = timeOf(NOW + 1000);
  mini.sections = mini.sections.filter(({ kind }) => kind !== "grant");
  mini.addGrant("mail", "team/imap", { expires }).addPlugin("long").addGrant("long", "team/imap");
  fleet.release();
  const { envelopes } = await vault.seal(fleet.request(mini, [file]));
  const ends = Object.fromEntries(
    envelopes.map(({ grant, envelope }) => [grant, verifyEnvelope(envelope, fleet.trust.section.vaultKeys, 1).notAfter]),
  );
  assert.deepEqual(ends, { "mail-team-imap": expires, "long-team-imap": timeOf(NOW + 7_776_000_000) });
});

test("a revocation by one named person is obeyed at once and until a release lifts it", async () => {
  const { fleet, vault, file, mini, reopen } = await world();
  fleet.release();
  const seal = (one: Vault) => one.seal(fleet.request(mini, [file]));
  await assert.rejects(vault.addStatement(fleet.revoke("secret", "team/imap")), { code: "VAULT_NO_TRUST" });
  only((await seal(vault)).envelopes);
  await assert.rejects(vault.addStatement(fleet.revoke("secret", "team/imap", fleet.alice)), { code: "STATEMENT_UNPROVEN" });
  await assert.rejects(vault.addStatement(fleet.revoke("signer", "alice")), { code: "NOT_YET" });
  only((await seal(vault)).envelopes);
  let one = vault;
  for (const [kind, name] of [
    ["secret", REF],
    ["secret", "team/imap"],
    ["plugin", "mail"],
  ] as const) {
    const digest = await one.addStatement(fleet.revoke(kind, name));
    for (const again of [() => one, reopen]) {
      one = await again();
      assert.deepEqual(
        (await seal(one)).refused.map(({ code }) => code),
        ["SECRET_REVOKED"],
      );
    }
    fleet.release({ lifts: [digest] });
    only((await seal(one)).envelopes);
    one = await reopen();
    only((await seal(one)).envelopes);
  }
});

test("a revoked machine gets neither envelopes nor a lease; other machines do", async () => {
  const { fleet, vault, file, mini } = await world();
  const other = fleet.machine("mini-02").addPlugin("mail").addGrant("mail", "team/imap").addSecret("team/imap", 3, file);
  fleet.release();
  await vault.seal(fleet.request(mini, [file]));
  await vault.addStatement(fleet.revoke("machine", "mini-01"));
  const { envelopes, lease } = await vault.seal(fleet.request(mini, [file]));
  assert.deepEqual([envelopes, lease], [[], null]);
  await assert.rejects(vault.lease(fleet.request(mini, [])), { code: "SECRET_REVOKED" });
  only((await vault.seal(fleet.request(other, [file]))).envelopes);
  await vault.addStatement(fleet.revoke("secret", "team/imap", fleet.ops, [mini.name]));
  only((await vault.seal(fleet.request(other, [file]))).envelopes);
});

test("an expired release gives nothing, and a clock set back does not help", async () => {
  const { fleet, vault, file, mini, clock } = await world();
  fleet.release();
  await vault.seal(fleet.request(mini, [file]));
  clock.now = msOf(fleet.expires);
  await assert.rejects(vault.lease(fleet.request(mini, [])), { code: "RELEASE_EXPIRED" });
  clock.now = 0;
  const lease = verifyLease(await vault.lease(fleet.request(mini, [])), fleet.trust.section.vaultKeys, 1);
  assert.equal(msOf(lease.notAfter), msOf(fleet.issued) + 3_600_000);
});

test("when the log can't be written nothing is handed out", async () => {
  const { fleet, vault, file, mini, dir } = await world();
  fleet.release();
  await vault.seal(fleet.request(mini, [file]));
  await rm(join(dir, "log"), { recursive: true });
  await writeFile(join(dir, "log"), "not a folder");
  await assert.rejects(vault.seal(fleet.request(mini, [file])), { code: "AUDIT_UNAVAILABLE" });
});

test("a vault whose memory or keys are damaged does not start", async () => {
  const { fleet, vault, file, mini, dir } = await world();
  fleet.release();
  await vault.seal(fleet.request(mini, [file]));
  const [name] = await readdir(join(dir, "machines"));
  const path = join(dir, "machines", name as string);
  const good = await readFile(path);
  for (const bad of ["", "{}", good.toString().slice(0, -1), good.toString().replace('"v":1', '"v":2')]) {
    await writeFile(path, bad);
    await assert.rejects(VaultStore.open(dir), { code: "VAULT_STATE_BROKEN" });
  }
  await writeFile(join(dir, "sign.key"), "short", { mode: 0o600 });
  await assert.rejects(loadKeys(dir), { code: "VAULT_KEYS_BROKEN" });
  await assert.rejects(initVault({ dir, fleet: FLEET, trust: fleet.trust.leaf, insecurePlainKeys: true }), { code: "VAULT_EXISTS" });
  await assert.rejects(initVault({ dir, fleet: FLEET, trust: fleet.trust.leaf, insecurePlainKeys: false }), { code: "NOT_YET" });
});

test("a vault is pinned once, and gives nothing before", async () => {
  const { fleet, mini, file, keys, dir } = await world();
  fleet.release();
  await pinTrust(dir, fleet.trust.leaf);
  await assert.rejects(pinTrust(dir, digestOf("another leaf")), { code: "VAULT_PINNED" });
  const empty = await mkdtemp(join(tmpdir(), "mv-"));
  ends.push(() => rm(empty, { recursive: true }));
  const log = await openLog({ dir: join(empty, "log"), origin: "o", signer: keys.noteSigner("o"), now: () => NOW });
  ends.push(() => log.close());
  const unpinned = makeVault({
    config: { v: 1, fleet: FLEET, trust: null },
    keys,
    store: await VaultStore.open(empty),
    log,
    now: () => NOW,
    uid: 0,
  });
  await assert.rejects(unpinned.seal(fleet.request(mini, [file])), { code: "VAULT_NO_TRUST" });
});

test("another vault's pin is no way in: a release of other people is refused", async () => {
  const { mini, file, vault } = await world();
  const theirs = new SignedFleet(NOW);
  theirs.machines.push(mini);
  theirs.release();
  await assert.rejects(vault.seal(theirs.request(mini, [file])), { code: "TRUST_BROKEN" });
});

test("a release that revokes in a form this vault doesn't know is not guessed at", async () => {
  const { fleet, vault, mini, file } = await world();
  mini.sections.push({ kind: "revoked", items: { odd: true } });
  fleet.release();
  await assert.rejects(vault.seal(fleet.request(mini, [file])), { code: "NOT_YET" });
  mini.sections = mini.sections.filter(({ kind }) => kind !== "revoked");
  mini.sections.push({ kind: "revoked", items: [{ kind: "secret", name: "team/imap" }] });
  fleet.release();
  assert.deepEqual(
    (await vault.seal(fleet.request(mini, [file]))).refused.map(({ code }) => code),
    ["SECRET_REVOKED"],
  );
});

test("neither the vault's folder nor its answers hold the value", async () => {
  const { fleet, vault, file, mini, dir } = await world();
  fleet.release();
  const answer = await vault.seal(fleet.request(mini, [file]));
  assert.ok(!JSON.stringify(answer).includes("s3cret"));
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) assert.ok(!(await readFile(join(entry.parentPath, entry.name))).includes("s3cret"), entry.name);
  }
});

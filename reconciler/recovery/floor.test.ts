import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attestation, MachineId } from "#schemas/wire/index.ts";
import { checkFloor, floorOf } from "./floor.ts";

const attests = (machine: string, serial: number | null, secretsSerial: number | null = null): Attestation =>
  ({
    machine,
    revision: serial === null ? null : String(serial).padStart(40, "0"),
    release: serial === null ? null : { serial, digest: `sha256:${"0".repeat(64)}`, secretsSerial },
  }) as Attestation;
const silent = (machine: string): { machine: MachineId; code: string } => ({ machine: machine as MachineId, code: "SSH_UNREACHABLE" });

test("the newest release anything stands on is the floor, and it says who", () => {
  const answers = { attested: [attests("a", 4, 9), attests("b", 7, 3), attests("c", null)], silent: [silent("d")] };
  assert.deepEqual(floorOf(answers, 6), {
    serial: 7,
    revision: "7".padStart(40, "0"),
    by: "machine b",
    secretsSerial: 9,
    secretsBy: "machine a",
  });
  assert.deepEqual(floorOf(answers, 8), { serial: 8, revision: null, by: "the vault", secretsSerial: 9, secretsBy: "machine a" });
});

test("a first start has no floor; a fleet in which nobody answers is not taken for one", () => {
  assert.equal(floorOf({ attested: [attests("a", null)], silent: [silent("b")] }, null).serial, 0);
  assert.equal(floorOf({ attested: [], silent: [] }, null).serial, 0);
  assert.throws(() => floorOf({ attested: [], silent: [silent("a"), silent("b")] }, 12), { code: "MACHINES_SILENT" });
});

test("a repo without that release, or without that commit, was rolled back", async () => {
  const floor = { serial: 7, revision: "7".repeat(40), by: "machine b", secretsSerial: 3, secretsBy: "machine c" };
  const repo = { newest: { serial: 7, secretsSerial: 3 }, head: "9".repeat(40), isFastForward: async () => true };
  await checkFloor(floor, repo);
  await assert.rejects(checkFloor(floor, { ...repo, newest: { serial: 6, secretsSerial: 3 } }), {
    code: "REPO_ROLLED_BACK",
    message: /machine b stands on release 7/,
  });
  await assert.rejects(checkFloor(floor, { ...repo, newest: { serial: 7, secretsSerial: 2 } }), {
    code: "REPO_ROLLED_BACK",
    message: /machine c stands on secrets release 3/,
  });
  await assert.rejects(checkFloor(floor, { ...repo, isFastForward: async () => false }), { code: "REPO_ROLLED_BACK" });
  await checkFloor({ ...floor, revision: null }, { ...repo, isFastForward: async () => false });
});

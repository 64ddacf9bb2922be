import { findSshd, startSshd } from "#test/support/sshd.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { transportContract } from "./contract.ts";

test("this machine has OpenSSH's sshd, without which these tests show little", () => {
  assert.notEqual(findSshd(), null, "install openssh-server");
});

if (findSshd() !== null) transportContract("OpenSSH's sshd", (options) => startSshd({ logLevel: "DEBUG1", ...options }));

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hasCode } from "#base/errors/index.ts";
import { fileSigner, hardwareSigner, type SignOptions, type TestSigner } from "#test/proof/signer.ts";
import { parseCommit, parseTag, splitCommit, verifyCommit } from "./index.ts";

const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const head = `tree ${TREE}\nparent ${"1".repeat(40)}\nparent ${"2".repeat(40)}\nauthor Ann O <a@acme.dev> 1764000000 +0100\ncommitter B <b@acme.dev> 1764000001 -0330\n`;
const tail = "encoding UTF-8\n\nplugins: bump mail\n\nwith a body\n\ngpgsig in a message is no header\n";

function commit(signer: TestSigner, options: SignOptions = {}, namespace = "git", extra = ""): Buffer {
  const armored = signer.sign(Buffer.from(head + tail), namespace, options);
  return Buffer.from(`${head}${header("gpgsig", armored)}${extra}${tail}`);
}

function header(name: string, armored: string): string {
  return `${name} ${armored.trimEnd().replaceAll("\n", "\n ")}\n`;
}

test("a commit signed by a file or hardware key names its signer, also beside gpgsig-sha256", () => {
  for (const signer of [fileSigner(), fileSigner("nistp256"), hardwareSigner(), hardwareSigner("nistp256")]) {
    const got = verifyCommit(commit(signer, {}, "git", header("gpgsig-sha256", signer.sign(Buffer.from("x"), "git"))));
    assert.ok(got.at === "signed");
    assert.equal(got.signer.key, signer.key);
  }
  const untouched = verifyCommit(commit(hardwareSigner(), { flags: 0 }));
  assert.ok(untouched.at === "signed" && untouched.signer.sk && !untouched.signer.touched);
});

test("an unsigned, altered, foreign or release-signed commit is told apart", () => {
  const signer = fileSigner();
  assert.deepEqual(verifyCommit(Buffer.from(head + tail)), { at: "unsigned" });
  assert.deepEqual(verifyCommit(commit(signer, {}, "mooring-release")), { at: "wrong" });
  assert.deepEqual(verifyCommit(Buffer.from(commit(signer).toString().replace("bump", "jump"))), { at: "wrong" });
  assert.deepEqual(verifyCommit(Buffer.from(`${head}gpgsig -----BEGIN SIGNED MESSAGE-----\n AAAA\n${tail}`)), { at: "foreign" });
  assert.deepEqual(verifyCommit(Buffer.from(`${head}gpgsig -----BEGIN PGP SIGNATURE-----\n AAAA\n${tail}`)), {
    at: "openpgp",
    armored: "-----BEGIN PGP SIGNATURE-----\nAAAA",
    payload: new Uint8Array(Buffer.from(head + tail)),
  });
});

test("the payload is every byte but the signatures, also where bytes are no text", () => {
  const odd = Buffer.concat([
    Buffer.from(head),
    Buffer.from("x-odd \xff\xfe\n more\n", "latin1"),
    Buffer.from("\n\xff\xff message", "latin1"),
  ]);
  const split = splitCommit(odd);
  assert.deepEqual(Buffer.from(split.payload), odd);
  assert.equal(split.signature, null);
  const signed = Buffer.from(odd.toString("latin1").replace("author", "gpgsig a\n b\nauthor"), "latin1");
  assert.deepEqual(splitCommit(signed), { payload: new Uint8Array(odd), signature: "a\nb" });
});

test("a commit's headers are read in git's order only", () => {
  const got = parseCommit(commit(fileSigner()));
  assert.equal(got.tree, TREE);
  assert.deepEqual(got.parents, ["1".repeat(40), "2".repeat(40)]);
  assert.deepEqual(got.author, { name: "Ann O", email: "a@acme.dev", at: 1764000000, zone: "+0100" });
  assert.equal(got.committer.zone, "-0330");
  assert.ok(got.message.startsWith("plugins: bump mail\n\n"));
  const text = head + tail;
  const bad = [
    text.replace("tree", "tre"),
    text.replace(TREE, "4b82"),
    text.replace(`tree ${TREE}\n`, ""),
    `tree ${TREE}\n${text}`,
    text.replace("committer", "author"),
    text.replace("+0100", "+1"),
    head,
    "",
    "\n",
    head.replace("Ann", "A\u0000") + tail,
    `${head}gpgsig a\ngpgsig b\n${tail}`,
    `${head} x\n${tail}`.replace("tree", " tree"),
  ];
  for (const raw of bad) assert.throws(() => parseCommit(Buffer.from(raw)), { code: "GIT_OBJECT_MALFORMED" }, raw.slice(0, 80));
});

test("a tag is parsed, its signature stays in the message", () => {
  const tag = parseTag(
    Buffer.from(`object ${TREE}\ntype commit\ntag v1\ntagger A <a@acme.dev> 1 +0000\n\nfirst\n-----BEGIN SSH SIGNATURE-----\n`),
  );
  assert.deepEqual(
    { ...tag, tagger: tag.tagger?.email },
    { object: TREE, type: "commit", tag: "v1", tagger: "a@acme.dev", message: "first\n-----BEGIN SSH SIGNATURE-----\n" },
  );
  assert.throws(() => parseTag(Buffer.from(`type commit\nobject ${TREE}\ntag v1\n\n`)), { code: "GIT_OBJECT_MALFORMED" });
});

test("no changed byte leaves a commit signed, and any bytes are read or refused", () => {
  const good = commit(fileSigner());
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 60 }), (at, xor, junk) => {
      const changed = Uint8Array.from(good);
      changed[at]! ^= xor;
      for (const raw of [changed, junk, good.subarray(0, at)]) {
        try {
          assert.notEqual(verifyCommit(raw).at, "signed");
          parseCommit(raw);
          parseTag(raw);
        } catch (err) {
          if (!hasCode(err, "GIT_OBJECT_MALFORMED")) throw err;
        }
      }
    }),
    { numRuns: 200 },
  );
});

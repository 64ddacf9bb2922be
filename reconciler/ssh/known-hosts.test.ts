import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { keysOfKnownHosts } from "./known-hosts.ts";

const ED = "ssh-ed25519 AAAAC3Nz";
const RSA = "ssh-rsa AAAAB3Nz";

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

const keys = (text: string, host = "git.example.net", port = 22): readonly string[] => keysOfKnownHosts(text, host, port);

test("plain, listed, pattern and hashed names are found; another port is another host", () => {
  for (const names of [
    "git.example.net",
    "GIT.example.net",
    "a,git.example.net,b",
    "*.example.net",
    "git.?xample.net",
    "*",
    hashed("git.example.net"),
  ])
    assert.deepEqual(keys(`${names} ${ED} a comment\n`), [ED], names);
  for (const names of [
    "example.net",
    "git.example.net.evil",
    "xgit.example.net",
    "*.example.com",
    "[git.example.net]:22",
    hashed("git.example.com"),
    "*,!git.example.net",
  ])
    assert.deepEqual(keys(`${names} ${ED}\n`), [], names);
  assert.deepEqual(keys(`[git.example.net]:2222 ${ED}\n`, undefined, 2222), [ED]);
  assert.deepEqual(keys(`${hashed("[git.example.net]:2222")} ${ED}\n`, undefined, 2222), [ED]);
  assert.deepEqual(keys(`git.example.net ${ED}\n`, undefined, 2222), []);
});

test("several keys of a host; revoked ones, authorities, comments and broken lines are left out", () => {
  const text = `# comment\n\ngit.example.net ${ED}\r\ngit.example.net ${RSA}\n@cert-authority *.example.net ${ED}2\ngit.example.net\ngit.example.net ssh-ed25519\n`;
  assert.deepEqual(keys(text), [ED, RSA]);
  assert.deepEqual(keys(`${text}@revoked * ${RSA}\n`), [ED]);
  assert.deepEqual(keys(`#git.example.net ${ED}\n`), []);
});

test("no text throws, hangs, or names another host's key", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom("*", "?", "**a*b*", "!git.example.net", "|1|", "|1|x|", "@revoked", "git.example.net"),
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 40 }), (words) => void keys(words.join(" "))));
  fc.assert(fc.property(fc.array(word, { maxLength: 40 }), (words) => void keys(words.join("\n"))));
  assert.deepEqual(keys(`${"*a".repeat(5_000)} ${ED}`, "a".repeat(200)), []);
});

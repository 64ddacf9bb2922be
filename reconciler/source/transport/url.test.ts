import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { mayCarryToken, parsePlace } from "./url.ts";

test("a token travels over https or on the loopback only", () => {
  for (const url of ["https://git.example.net/x", "http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/x"])
    assert.equal(mayCarryToken(url), true, url);
  for (const url of ["http://git.example.net/x", "http://127.0.0.1.example.net/x", "http://10.0.0.1/x"])
    assert.equal(mayCarryToken(url), false, url);
});

test("paths and file URLs are local, http URLs lose a slash at the end", () => {
  assert.deepEqual(parsePlace("/srv/fleet.git"), { kind: "local", gitdir: "/srv/fleet.git" });
  assert.deepEqual(parsePlace("file:///srv/a%20b.git"), { kind: "local", gitdir: "/srv/a b.git" });
  assert.deepEqual(parsePlace("https://h/x.git/"), { kind: "http", url: "https://h/x.git" });
});

const ssh = (url: string): readonly unknown[] => {
  const place = parsePlace(url);
  return place.kind === "ssh" ? [place.user, place.host, place.port, place.path, place.url] : [place.kind];
};

test("ssh URLs and user@host:path name the same things that git reads in them", () => {
  assert.deepEqual(ssh("ssh://git@github.com/acme/fleet.git"), [
    "git",
    "github.com",
    22,
    "/acme/fleet.git",
    "ssh://git@github.com/acme/fleet.git",
  ]);
  assert.deepEqual(ssh("git@github.com:acme/fleet.git"), [
    "git",
    "github.com",
    22,
    "acme/fleet.git",
    "ssh://git@github.com/acme/fleet.git",
  ]);
  assert.deepEqual(ssh("ssh://h:2222/x"), ["git", "h", 2222, "/x", "ssh://git@h:2222/x"]);
  assert.deepEqual(ssh("git+ssh://me@[::1]:2222/~me/x"), ["me", "::1", 2222, "~me/x", "ssh://me@[::1]:2222/~me/x"]);
  assert.deepEqual(ssh("me@[fe80::1]:x/y z"), ["me", "fe80::1", 22, "x/y z", "ssh://me@[fe80::1]/x/y%20z"]);
  assert.deepEqual(ssh("ssh://git@h/a%20b%3F.git"), ["git", "h", 22, "/a b?.git", "ssh://git@h/a%20b%3F.git"]);
});

test("what would be an option, a password, or no name is refused", () => {
  for (const url of [
    "ssh://git:pw@h/x",
    "ssh://h",
    "ssh://h/",
    "git@h:",
    "git@h:-x",
    "-oProxyCommand=x@h:y",
    "git@-h:x",
    "ssh://-h/x",
    "ssh://git@h/x?y",
    "ssh://git@h/x#y",
    "ssh://git@h/%00",
    "ssh://git@h/%zz",
    "ssh://git@h/a%0ab",
    "git@h:a\nb",
    "ssh://a%20b@h/x",
    "a$b@h:x",
  ])
    assert.throws(() => parsePlace(url), { code: "SOURCE_MISCONFIGURED" }, url);
});

test("no text makes another error, and no secret of it is told", () => {
  const part = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom("ssh://", "git@", "https://", ":", "@", "/", "[::1]", "-", "%41", "%", "file://"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      try {
        parsePlace(parts.join(""));
      } catch (err) {
        assert.ok(err instanceof MooringError && err.code === "SOURCE_MISCONFIGURED");
      }
    }),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
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

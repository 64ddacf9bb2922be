import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseProxy, proxyFor, proxyOfEnv } from "./proxy.ts";

const through = (url: string, except: string): boolean =>
  proxyFor(new URL(url), { url: "http://p:3128", except: except.split(",") }) !== null;

test("exceptions are read as curl and git read NO_PROXY", () => {
  for (const except of [
    "*",
    "git.example.net",
    "example.net",
    ".example.net",
    "*.example.net",
    "EXAMPLE.net",
    "a, git.example.net ",
    "git.example.net:443",
    "example.net.",
  ])
    assert.equal(through("https://git.example.net/x", except), false, except);
  for (const except of ["", " ", "other.net", "xample.net", "git.example.net:80", "git.example.net.evil", ".", "*.", "::1"])
    assert.equal(through("https://git.example.net/x", except), true, except);
  assert.equal(through("http://10.1.2.3/x", "10.0.0.0/8"), false);
  assert.equal(through("http://10.1.2.3/x", "10.1.2.3/32"), false);
  assert.equal(through("http://11.1.2.3/x", "10.0.0.0/8"), true);
  assert.equal(through("http://10.1.2.3:8080/x", "10.1.2.3:8080"), false);
  assert.equal(through("http://[::1]:8080/x", "::1"), false);
  assert.equal(through("http://[::1]:8080/x", "[::1]:8080"), false);
  assert.equal(through("http://[::1]:8080/x", "[::1]:80"), true);
  fc.assert(fc.property(fc.string(), (except) => void through("https://git.example.net/x", except)));
});

test("the environment's proxy is the one for the target's scheme, credentials apart from the URL", async () => {
  const env = { https_proxy: "http://u:p%40ss@p:3128", HTTP_PROXY: "http://not-for-us", ALL_PROXY: "all:1080", NO_PROXY: "a, b" };
  const proxy = proxyOfEnv(env, "https://h/x");
  assert.equal(proxy?.url, "http://p:3128");
  assert.equal(await proxy?.credentials?.(), "u:p@ss");
  assert.deepEqual(proxy?.except, ["a", " b"]);
  assert.equal(proxyOfEnv({ ...env, ALL_PROXY: "" }, "http://h/x"), undefined);
  assert.equal(proxyOfEnv({ ALL_PROXY: "http://all:1080" }, "http://h/x")?.url, "http://all:1080");
  assert.equal(proxyOfEnv({ HTTPS_PROXY: "p:3128" }, "https://h/x")?.url, "http://p:3128");
  assert.equal(proxyOfEnv({ https_proxy: "" }, "https://h/x"), undefined);
});

test("what is no HTTP proxy, or holds a password, is refused", () => {
  for (const url of ["", "p:3128", "socks5://p:1080", "http://u:p@h:1", "http://u@h:1", "http://h:1/path", "http://h:1/?q", "ftp://h"])
    assert.throws(() => parseProxy(url, []), { code: "SOURCE_MISCONFIGURED" }, url);
  assert.throws(() => proxyOfEnv({ https_proxy: "socks5://p:1080" }, "https://h/x"), { code: "SOURCE_MISCONFIGURED" });
  assert.throws(() => proxyOfEnv({ https_proxy: "http://%zz:x@h" }, "https://h/x"), { code: "SOURCE_MISCONFIGURED" });
  assert.equal(parseProxy("https://proxy.example.net/", []).url, "https://proxy.example.net");
});

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type Delivery, type Form, verifyDelivery } from "./verify.ts";

const NOW = 1_790_000_000;
const SECRETS = ["an old secret of length", "a new secret of length"];
const BODY = Buffer.from('{"ref":"refs/heads/main"}');

const hex = (secret: string, body: Uint8Array): string => createHmac("sha256", secret).update(body).digest("hex");

function standard(key: Buffer, body: Uint8Array, id = "msg_1", seconds = NOW): Record<string, string> {
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${signature}` };
}

const judge = (headers: Delivery["headers"], body: Uint8Array = BODY, secrets: readonly string[] = SECRETS) =>
  verifyDelivery({ headers, body }, secrets, NOW);

/** Every form, signed with `secret`. */
const signed = (secret: string, body: Uint8Array): readonly (readonly [Form, Record<string, string>])[] => [
  ["github", { "x-hub-signature-256": `sha256=${hex(secret, body)}`, "x-github-event": "push" }],
  ["gitea", { "x-gitea-signature": hex(secret, body), "x-gitea-event": "push", "x-hub-signature-256": `sha256=${hex(secret, body)}` }],
  ["gitea", { "x-forgejo-signature": hex(secret, body), "x-gitea-signature": hex(secret, body), "x-gitea-event": "push" }],
  ["gitea", { "x-gitea-event": "push", "x-hub-signature-256": `sha256=${hex(secret, body)}` }],
  ["gitlab-token", { "x-gitlab-token": secret, "x-gitlab-event": "Push Hook" }],
  ["standard", standard(Buffer.from(secret), body)],
];

test("each form is known by either of two secrets, and by no other", () => {
  for (const secret of SECRETS) {
    for (const [form, headers] of signed(secret, BODY)) {
      const verdict = judge(headers);
      assert.equal(verdict.at === "known" ? verdict.form : verdict.why, form);
      assert.equal(judge(headers, BODY, ["a third secret of length"]).at, "refused");
      assert.equal(judge(headers, BODY, []).at, "refused");
    }
  }
  assert.deepEqual(judge({}), { at: "refused", why: "unsigned" });
});

test("GitHub's own example, and the one of the Standard Webhooks specification", () => {
  const github = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  assert.equal(judge({ "x-hub-signature-256": github }, Buffer.from("Hello, World!"), ["It's a Secret to Everybody"]).at, "known");
  const body = Buffer.from('{"test": 2432232314}');
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  assert.equal(verifyDelivery({ headers, body }, [secret], 1_614_265_330).at, "known");
  assert.deepEqual(verifyDelivery({ headers, body }, [secret], 1_614_265_330 + 301), { at: "refused", why: "old" });
  assert.deepEqual(verifyDelivery({ headers, body }, [secret], 1_614_265_330 - 301), { at: "refused", why: "old" });
});

test("one signature of several is enough while a sender rolls its key; id and time are signed too", () => {
  const good = standard(Buffer.from(SECRETS[0] ?? ""), BODY);
  const other = standard(randomBytes(32), BODY)["webhook-signature"];
  assert.equal(judge({ ...good, "webhook-signature": `${other} ${good["webhook-signature"]} v2,xx` }).at, "known");
  assert.equal(judge({ ...good, "webhook-id": "msg_2" }).at, "refused");
  assert.equal(judge({ ...good, "webhook-timestamp": String(NOW + 1) }).at, "refused");
  for (const stamp of ["", "now", "1e9", "-1", "9".repeat(20), `${NOW} `])
    assert.equal(judge({ ...good, "webhook-timestamp": stamp }).at, "refused");
});

test("a strong form that is wrong is not saved by a weak one that is right", () => {
  const [secret = ""] = SECRETS;
  const weak = { "x-gitlab-token": secret, "x-hub-signature-256": `sha256=${hex(secret, BODY)}` };
  assert.equal(judge({ ...weak, ...standard(randomBytes(32), BODY) }).at, "refused");
  assert.equal(judge({ "x-gitlab-token": secret, "x-hub-signature-256": `sha256=${hex("no", BODY)}` }).at, "refused");
});

test("no change of a signed body or of its signature is known", () => {
  const [secret = ""] = SECRETS;
  const forms = signed(secret, BODY).filter(([form]) => form !== "gitlab-token");
  fc.assert(
    fc.property(fc.constantFrom(...forms), fc.uint8Array({ maxLength: 60 }), ([, headers], body) => {
      fc.pre(!Buffer.from(body).equals(BODY));
      assert.equal(judge(headers, body).at, "refused");
    }),
  );
  const header = fc.constantFrom("x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature", "x-gitlab-token", "webhook-signature");
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("sha256=", "v1,", "0".repeat(64), "v1, v1,", secret.slice(1)),
  );
  fc.assert(
    fc.property(fc.dictionary(header, value), (headers) =>
      assert.equal(judge({ ...headers, "webhook-id": "x", "webhook-timestamp": String(NOW) }).at, "refused"),
    ),
  );
});

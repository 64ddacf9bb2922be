import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A request as it came: header names in lower case, the body's raw bytes. */
export type Delivery = { readonly headers: Readonly<Record<string, string | undefined>>; readonly body: Uint8Array };

export type Verdict =
  /** From whoever holds one of our secrets; `id` tells deliveries of one kind apart where the sender names them and replays matter. */
  | { readonly at: "known"; readonly form: Form; readonly id: string | null }
  | { readonly at: "refused"; readonly why: "unsigned" | "wrong" | "old" };

export type Form = "github" | "gitea" | "standard" | "gitlab-token";

const TOLERANCE_S = 300; // Standard Webhooks' own advice, and what clocks and queues of forges need

/** Whether a delivery was made with one of `secrets` (two or more while one is rolled). Every secret is tried, each compared in constant time. Forms, the
 *  strongest that is there counts alone:
 *  - Standard Webhooks (standardwebhooks.com), as GitLab's signing tokens: webhook-id, webhook-timestamp, webhook-signature; the only one a replay can't pass;
 *  - GitHub: x-hub-signature-256; Gitea and Forgejo: x-gitea-signature, x-forgejo-signature: HMAC-SHA256 of the body;
 *  - GitLab's secret token: x-gitlab-token, the secret itself.
 *  Pure but for the key of the comparison. `seconds` = now. */
export function verifyDelivery({ headers, body }: Delivery, secrets: readonly string[], seconds: number): Verdict {
  if (headers["webhook-signature"] !== undefined) return verifyStandard(headers, body, secrets, seconds);
  const hub = headers["x-hub-signature-256"];
  if (hub !== undefined && headers["x-gitea-event"] === undefined)
    return plainHmac("github", /^sha256=([0-9a-f]{64})$/i.exec(hub)?.[1], body, secrets);
  const gitea =
    headers["x-forgejo-signature"] ?? headers["x-gitea-signature"] ?? headers["x-gogs-signature"] ?? hub?.replace(/^sha256=/, "");
  if (gitea !== undefined) return plainHmac("gitea", /^[0-9a-f]{64}$/i.exec(gitea)?.[0], body, secrets);
  const token = headers["x-gitlab-token"];
  if (token === undefined) return { at: "refused", why: "unsigned" };
  return someEqual(secrets.map((secret) => [Buffer.from(secret), Buffer.from(token)]))
    ? { at: "known", form: "gitlab-token", id: null }
    : WRONG;
}

const WRONG: Verdict = { at: "refused", why: "wrong" };

function plainHmac(form: Form, hex: string | undefined, body: Uint8Array, secrets: readonly string[]): Verdict {
  if (hex === undefined) return WRONG;
  const given = Buffer.from(hex, "hex");
  const isKnown = someEqual(secrets.map((secret) => [createHmac("sha256", secret).update(body).digest(), given]));
  return isKnown ? { at: "known", form, id: null } : WRONG;
}

function verifyStandard(headers: Delivery["headers"], body: Uint8Array, secrets: readonly string[], seconds: number): Verdict {
  const { "webhook-id": id = "", "webhook-timestamp": stamp = "", "webhook-signature": list = "" } = headers;
  if (id === "" || id.length > 256 || !/^\d{1,12}$/.test(stamp)) return WRONG;
  const given = list.split(" ").flatMap((entry) => (/^v1,[A-Za-z0-9+/]{43}=$/.test(entry) ? [Buffer.from(entry.slice(3), "base64")] : []));
  const signed = secrets.map((secret) => createHmac("sha256", keyOf(secret)).update(`${id}.${stamp}.`).update(body).digest());
  const pairs = signed.flatMap((one) => given.slice(0, MAX_SIGNATURES).map((other): readonly [Buffer, Buffer] => [one, other]));
  if (!someEqual(pairs)) return WRONG;
  if (Math.abs(seconds - Number(stamp)) > TOLERANCE_S) return { at: "refused", why: "old" };
  return { at: "known", form: "standard", id };
}

const MAX_SIGNATURES = 4; // a sender rolls one key, not more

/** `whsec_` and base64, as the specification and GitLab write keys; any other secret stands for its own bytes. */
function keyOf(secret: string): Buffer {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret);
  return match === null ? Buffer.from(secret) : Buffer.from(match[1] ?? "", "base64");
}

/** Looks at all pairs and at all bytes, whatever their lengths: both sides go through a keyed hash first. */
function someEqual(pairs: readonly (readonly [Buffer, Buffer])[]): boolean {
  const key = randomBytes(32);
  const tag = (bytes: Buffer): Buffer => createHmac("sha256", key).update(bytes).digest();
  let isEqual = false;
  for (const [one, other] of pairs) if (timingSafeEqual(tag(one), tag(other))) isEqual = true;
  return isEqual;
}

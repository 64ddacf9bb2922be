import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { canon, canonBytes, digestOf, type Digest } from "#base/canonical/index.ts";
import { paeOf } from "#proof/sigstore/index.ts";
import type { WorkflowIdentity } from "#schemas/wire/index.ts";
import { bits, bool, generalizedTime, int, nameOf, octets, oid, seq, set, tagged, tlv, utf8 } from "./der.ts";

const ECDSA_SHA256 = seq(oid("1.2.840.10045.4.3.2"));
const SHA256 = seq(oid("2.16.840.1.101.3.4.2.1"));
const FULCIO = "1.3.6.1.4.1.57264.1.";

type PublicHalf = { readonly publicKey: KeyObject };
type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
/** A workflow as a role `by: ci` names it. */
export const WORKFLOW = {
  issuer: "https://token.actions.githubusercontent.com",
  repository: "acme/fleet",
  repositoryId: "1001",
  ownerId: "42",
  workflow: ".github/workflows/release.yml",
  ref: "refs/heads/main",
} as const;

/** What Fulcio is told by the token. Members beyond the identity: what started the run, and the name in the certificate if it is another one. */
export type Claims = WorkflowIdentity & { readonly trigger: string; readonly san?: string };

/** How one signature is made; each member left out is as it should be. */
export type SignOptions = {
  readonly claims: Claims;
  /** When the log (or the timestamp authority) saw it; the certificate lives for ten minutes around `issuedAt`. */
  readonly at: Date;
  readonly issuedAt?: Date;
  readonly log?: "v1" | "v2";
  /** Log the signature under another certificate than the bundle's. */
  readonly loggedClaims?: Claims;
  readonly withoutSct?: boolean;
  /** Changes the bundle before it is written. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests break members that have no type
  readonly change?: (bundle: any) => void;
};

/** A sigstore of our own with keys made here: Fulcio, certificate log, Rekor and timestamp authority. */
export class TestSigstore {
  readonly since: Date;
  readonly #ca = pair();
  readonly #ct = pair();
  readonly #rekor = pair();
  readonly #tsa = pair();
  readonly #tsaCa = pair();
  readonly #caDer: Buffer;
  readonly #tsaDer: Buffer;
  readonly #tsaCaDer: Buffer;

  constructor(since: Date) {
    this.since = since;
    const until = new Date(since.getTime() + 10 * 365 * 86_400_000);
    const authority = (name: string, key: Pair): Buffer =>
      certificate({ subject: name, key, issuer: name, by: key, since, until, extensions: caExtensions() });
    this.#caDer = authority("test fulcio", this.#ca);
    this.#tsaCaDer = authority("test tsa root", this.#tsaCa);
    this.#tsaDer = certificate({
      subject: "test tsa",
      key: this.#tsa,
      issuer: "test tsa root",
      by: this.#tsaCa,
      since,
      until,
      extensions: [],
    });
  }

  /** trusted_root.json. */
  trustedRoot(change: { readonly logUntil?: Date; readonly logSince?: Date } = {}): Uint8Array {
    const validFor = { start: this.since.toISOString() };
    const log = (key: Pair, baseUrl: string, window: object = validFor) => ({
      baseUrl,
      hashAlgorithm: "SHA2_256",
      publicKey: { rawBytes: spki(key).toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: window },
      logId: { keyId: sha256(spki(key)).toString("base64") },
    });
    const logWindow = {
      start: (change.logSince ?? this.since).toISOString(),
      ...(change.logUntil === undefined ? {} : { end: change.logUntil.toISOString() }),
    };
    const chain = (...ders: readonly Buffer[]) => ({ certificates: ders.map((der) => ({ rawBytes: der.toString("base64") })) });
    return canonBytes({
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [log(this.#rekor, "https://rekor.test", logWindow)],
      certificateAuthorities: [
        { subject: { commonName: "test fulcio" }, uri: "https://fulcio.test", certChain: chain(this.#caDer), validFor },
      ],
      ctlogs: [log(this.#ct, "https://ct.test")],
      timestampAuthorities: [{ uri: "https://tsa.test", certChain: chain(this.#tsaDer, this.#tsaCaDer), validFor }],
    });
  }

  trustedRootDigest(): Digest {
    return digestOf(this.trustedRoot());
  }

  /** A v0.3 bundle over `payload` as cosign or a workflow's own signer would make it. */
  sign(payload: Uint8Array, payloadType: string, options: SignOptions): string {
    const key = pair();
    const issuedAt = options.issuedAt ?? options.at;
    const leaf = this.#leaf(key, options.claims, issuedAt, options.withoutSct ?? false);
    const signature = sign("sha256", paeOf(payloadType, payload), key.privateKey);
    const logged = options.loggedClaims === undefined ? leaf : this.#leaf(key, options.loggedClaims, issuedAt, false);
    const entry =
      options.log === "v2" ? this.#entryV2(payload, payloadType, signature, logged) : this.#entryV1(payload, signature, logged, options.at);
    const bundle = {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: {
        certificate: { rawBytes: leaf.toString("base64") },
        tlogEntries: [entry],
        timestampVerificationData: {
          rfc3161Timestamps: options.log === "v2" ? [{ signedTimestamp: this.#timestamp(signature, options.at).toString("base64") }] : [],
        },
      },
      dsseEnvelope: {
        payload: Buffer.from(payload).toString("base64"),
        payloadType,
        signatures: [{ sig: signature.toString("base64"), keyid: "" }],
      },
    };
    options.change?.(bundle);
    return JSON.stringify(bundle);
  }

  /** A certificate for somebody's key, as Fulcio gives it. */
  certify(key: KeyObject, claims: Claims, at: Date): Buffer {
    return this.#leaf({ publicKey: key }, claims, at, false);
  }

  /** What Rekor v1 answers to a DSSE envelope: its entry, with promise and proof. */
  logged(payload: Uint8Array, signature: Buffer, leaf: Buffer, at: Date) {
    return this.#entryV1(payload, signature, leaf, at);
  }

  #leaf(key: PublicHalf, claims: Claims, issuedAt: Date, withoutSct: boolean): Buffer {
    const server = "https://github.com";
    const uri = claims.san ?? `${server}/${claims.repository}/${claims.workflow}@${claims.ref}`;
    const facts: readonly (readonly [number, string])[] = [
      [8, claims.issuer],
      [9, uri],
      [12, `${server}/${claims.repository}`],
      [14, claims.ref],
      [15, claims.repositoryId],
      [17, claims.ownerId],
      [18, uri],
      [20, claims.trigger],
    ];
    const extensions = [
      extension("2.5.29.15", tlv(0x03, Buffer.from([7, 0x80])), true),
      extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.3"))),
      extension("2.5.29.17", seq(tlv(0x86, Buffer.from(uri))), true),
      extension(`${FULCIO}1`, Buffer.from(claims.issuer)),
      ...facts.map(([number, text]) => extension(`${FULCIO}${number}`, utf8(text))),
    ];
    const parts = {
      subject: "",
      key,
      issuer: "test fulcio",
      by: this.#ca,
      since: issuedAt,
      until: new Date(issuedAt.getTime() + 600_000),
      serial: randomBytes(12),
    };
    if (withoutSct) return certificate({ ...parts, extensions });
    return certificate({ ...parts, extensions: [...extensions, this.#sct(tbs({ ...parts, extensions }), issuedAt)] });
  }

  /** RFC 6962 §3.2: the log's promise over the certificate without the promise. */
  #sct(tbsBytes: Buffer, at: Date): Buffer {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(at.getTime()));
    const length = Buffer.from([0, tbsBytes.length >> 8, tbsBytes.length & 0xff]);
    const head = Buffer.concat([
      Buffer.from([0, 0]),
      time,
      Buffer.from([0, 1]),
      sha256(spki(this.#ca)),
      length,
      tbsBytes,
      Buffer.from([0, 0]),
    ]);
    const signature = sign("sha256", head, this.#ct.privateKey);
    const sct = Buffer.concat([
      Buffer.from([0]),
      sha256(spki(this.#ct)),
      time,
      Buffer.from([0, 0, 4, 3]),
      u16(signature.length),
      signature,
    ]);
    return extension("1.3.6.1.4.1.11129.2.4.2", octets(Buffer.concat([u16(sct.length + 2), u16(sct.length), sct])));
  }

  #entryV1(payload: Uint8Array, signature: Buffer, leaf: Buffer, at: Date) {
    const body = canonBytes({
      apiVersion: "0.0.1",
      kind: "dsse",
      spec: {
        payloadHash: { algorithm: "sha256", value: sha256(payload).toString("hex") },
        signatures: [
          { signature: signature.toString("base64"), verifier: Buffer.from(new X509Certificate(leaf).toString()).toString("base64") },
        ],
      },
    });
    const integratedTime = Math.floor(at.getTime() / 1000);
    const promised = canon({
      body: Buffer.from(body).toString("base64"),
      integratedTime,
      logIndex: 1,
      logID: sha256(spki(this.#rekor)).toString("hex"),
    });
    return {
      ...this.#entry(body, "dsse", "0.0.1"),
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: sign("sha256", Buffer.from(promised), this.#rekor.privateKey).toString("base64") },
    };
  }

  #entryV2(payload: Uint8Array, payloadType: string, signature: Buffer, leaf: Buffer) {
    const body = canonBytes({
      apiVersion: "0.0.2",
      kind: "hashedrekord",
      spec: {
        hashedRekordV002: {
          data: { algorithm: "SHA2_256", digest: sha256(paeOf(payloadType, payload)).toString("base64") },
          signature: {
            content: signature.toString("base64"),
            verifier: { keyDetails: "PKIX_ECDSA_P256_SHA_256", x509Certificate: { rawBytes: leaf.toString("base64") } },
          },
        },
      },
    });
    return { ...this.#entry(body, "hashedrekord", "0.0.2"), integratedTime: "0" };
  }

  /** Entry number 1 of a log of two, with proof and checkpoint. */
  #entry(body: Uint8Array, kind: string, version: string) {
    const other = sha256(Buffer.from("\0another entry"));
    const leafHash = sha256(Buffer.concat([Buffer.from([0]), body]));
    const root = sha256(Buffer.concat([Buffer.from([1]), other, leafHash]));
    const note = `rekor.test\n2\n${root.toString("base64")}\n`;
    const keyId = sha256(spki(this.#rekor));
    const signature = Buffer.concat([keyId.subarray(0, 4), sign("sha256", Buffer.from(note), this.#rekor.privateKey)]);
    return {
      logIndex: "1",
      logId: { keyId: keyId.toString("base64") },
      kindVersion: { kind, version },
      inclusionProof: {
        logIndex: "1",
        rootHash: root.toString("base64"),
        treeSize: "2",
        hashes: [other.toString("base64")],
        checkpoint: { envelope: `${note}\n\u2014 rekor.test ${signature.toString("base64")}\n` },
      },
      canonicalizedBody: Buffer.from(body).toString("base64"),
    };
  }

  /** RFC 3161 over `data`. */
  #timestamp(data: Buffer, at: Date): Buffer {
    const info = seq(int(1), oid("1.3.6.1.4.1.57264.2"), seq(SHA256, octets(sha256(data))), int(7), generalizedTime(at));
    const attributes = [
      seq(oid("1.2.840.113549.1.9.3"), set(oid("1.2.840.113549.1.9.16.1.4"))),
      seq(oid("1.2.840.113549.1.9.4"), set(octets(sha256(info)))),
    ];
    const signature = sign("sha256", set(...attributes), this.#tsa.privateKey);
    const signer = seq(int(1), seq(nameOf("test tsa root"), int(1)), SHA256, tagged(0, ...attributes), ECDSA_SHA256, octets(signature));
    const content = seq(int(3), set(SHA256), seq(oid("1.2.840.113549.1.9.16.1.4"), tagged(0, octets(info))), set(signer));
    return seq(seq(int(0)), seq(oid("1.2.840.113549.1.7.2"), tagged(0, content)));
  }
}

type CertificateParts = {
  readonly subject: string;
  readonly key: PublicHalf;
  readonly issuer: string;
  readonly by: Pair;
  readonly since: Date;
  readonly until: Date;
  readonly serial?: Uint8Array;
  readonly extensions: readonly Buffer[];
};

function certificate(parts: CertificateParts): Buffer {
  const body = tbs(parts);
  return seq(body, ECDSA_SHA256, bits(sign("sha256", body, parts.by.privateKey)));
}

function tbs({ subject, key, issuer, since, until, serial, extensions }: CertificateParts): Buffer {
  return seq(
    tagged(0, int(2)),
    serial === undefined ? int(1) : int(Buffer.concat([Buffer.from([1]), serial])),
    ECDSA_SHA256,
    nameOf(issuer),
    seq(generalizedTime(since), generalizedTime(until)),
    nameOf(subject),
    spki(key),
    ...(extensions.length === 0 ? [] : [tagged(3, seq(...extensions))]),
  );
}

function caExtensions(): readonly Buffer[] {
  return [extension("2.5.29.19", seq(bool(true)), true), extension("2.5.29.15", tlv(0x03, Buffer.from([1, 0x06])), true)];
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return seq(oid(id), ...(critical ? [bool(true)] : []), octets(value));
}

function pair(): Pair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function spki(key: PublicHalf): Buffer {
  return key.publicKey.export({ type: "spki", format: "der" });
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

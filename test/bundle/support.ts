import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Json, JsonObject } from "#base/canonical/index.ts";
import { type Packed, packFiles } from "#bundle/pack/index.ts";
import type { TarFile } from "#bundle/read/index.ts";
import { signStatement, statementFor } from "#bundle/statement/index.ts";
import { hintOf, PAYLOAD_TYPE, paeOf, type WantedPlugin } from "#proof/sigstore/index.ts";

/** A signing key made for one test run. `signer` is what a plugin section says about it. */
export type TestKey = { readonly key: KeyObject; readonly spki: string; readonly hint: string; readonly signer: { readonly key: string } };

export function makeKey(curve = "P-256"): TestKey {
  const pair = generateKeyPairSync("ec", { namedCurve: curve });
  const der = pair.publicKey.export({ format: "der", type: "spki" });
  const spki = der.toString("base64");
  return { key: pair.privateKey, spki, hint: hintOf(der), signer: { key: spki } };
}

export function file(path: string, content: string, mode = 0o644): TarFile {
  return { path, mode, bytes: new TextEncoder().encode(content) };
}

/** The files of a small plugin. */
export function pluginFiles(id = "demo", version = "1.0.0", extra: readonly TarFile[] = []): TarFile[] {
  return [
    file("package.json", JSON.stringify({ name: id, version, type: "module", main: "dist/main.js" })),
    file("openclaw.plugin.json", JSON.stringify({ id, configSchema: {} })),
    file("dist/main.js", `console.log("${id} ${version}")\n`, 0o755),
    ...extra,
  ];
}

export type Signed = { readonly packed: Packed; readonly bundleJson: Uint8Array; readonly want: WantedPlugin };

/** A packed and signed plugin, and what a section would ask for to get it. */
export async function signedPlugin(
  key: TestKey,
  id = "demo",
  version = "1.0.0",
  serial = 1,
  extra: readonly TarFile[] = [],
): Promise<Signed> {
  const packed = packFiles(pluginFiles(id, version, extra));
  const bundleJson = await signStatement(statementFor(packed, serial), key.hint, (bytes) => signBytes(key, bytes));
  return { packed, bundleJson, want: { id, version, serial, bundle: packed.digest, signer: key.signer } };
}

export function signBytes(key: TestKey, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign("sha256", bytes, key.key));
}

/** A bundle over any payload, made right in all that is not changed by `change`. */
export function bundleOver(key: TestKey, payload: Uint8Array | Json, payloadType = PAYLOAD_TYPE): JsonObject {
  const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload));
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: key.hint } },
    dsseEnvelope: {
      payload: Buffer.from(bytes).toString("base64"),
      payloadType,
      signatures: [{ sig: Buffer.from(signBytes(key, paeOf(payloadType, bytes))).toString("base64") }],
    },
  };
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function parsed(bytes: Uint8Array): Record<string, Json> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, Json>;
}

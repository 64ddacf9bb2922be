/** What a device key is for: `kx` does ECDH only, `sig` ECDSA only. */
export type KeyUse = "kx" | "sig";

export type DriverKind = "software" | "secure-enclave" | "tpm2" | "pkcs11";

/** A key in a driver's keeping; says nothing secret. */
export type KeyHandle = { readonly driver: DriverKind; readonly use: KeyUse; readonly id: string };

export type DriverInfo = {
  readonly kind: DriverKind;
  /** What a thief of the disk gets: `none` = the keys; `hardware` = nothing, the keys never leave their chip. */
  readonly assurance: "none" | "hardware";
  readonly exportable: boolean;
  /** Whether the keys rest until the disk is unlocked after a restart. */
  readonly needsUnlock: boolean;
};

/** A statement of the hardware about a key (TPM quote, attestation certificate). */
export type Evidence = { readonly kind: string; readonly bytes: Uint8Array };

/** P-256 keys bound to a device. Drivers do the two operations with the private key and nothing else: KDF and AEAD are ours (`seal/`). Every
 *  method may throw DEVICE_LOCKED, KEY_GONE, USER_PRESENCE_REQUIRED, KEY_UNAVAILABLE, KEY_USE_DENIED. All drivers pass test/keys/contract.ts. */
export type DeviceKeyDriver = {
  readonly kind: DriverKind;
  info(): Promise<DriverInfo>;
  /** The key of that use, null when none was made. */
  find(use: KeyUse): Promise<KeyHandle | null>;
  /** Makes the key of that use; KEY_USE_DENIED when there is one: it must be destroyed knowingly first. */
  generate(use: KeyUse): Promise<KeyHandle>;
  /** SEC 1 uncompressed, 65 bytes. */
  publicKey(handle: KeyHandle): Promise<Uint8Array>;
  /** The ECDH value, 32 bytes, left-padded; the caller zeroes it. POINT_INVALID for a point that is not on the curve, KEY_USE_DENIED for a sig key. */
  ecdh(handle: KeyHandle, peerPoint: Uint8Array): Promise<Uint8Array>;
  /** ECDSA over SHA-256 of `message`: r‖s, 64 bytes. KEY_USE_DENIED for a kx key. */
  sign(handle: KeyHandle, message: Uint8Array): Promise<Uint8Array>;
  /** May be empty: then there is only the machine's own word. */
  attest(handle: KeyHandle, nonce: Uint8Array): Promise<readonly Evidence[]>;
  destroy(handle: KeyHandle): Promise<void>;
};

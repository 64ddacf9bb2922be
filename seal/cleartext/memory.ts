/** Where cleartext may live: locked, never swapped or dumped. Injected, since only enclave-bridge and egress link the library that does it. */
export type SecureMemory = {
  /** `size` zero bytes in locked memory. The buffer MUST go back through `free`, and nothing may copy out of it but its user. */
  alloc(size: number): Buffer;
  zero(buffer: Buffer): void;
  /** Zeroes and gives the memory back; the buffer is dead afterwards. */
  free(buffer: Buffer): void;
};

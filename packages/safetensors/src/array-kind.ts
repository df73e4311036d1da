const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/**
 * `Uint8Array` and so on, whatever realm made it (another window, `node:vm`, a test runner's); undefined for anything
 * else.
 */
export function arrayKind(value: unknown): string | undefined {
  return tagOf.call(value) as string | undefined;
}

/** The same bytes as an array of this realm; itself where it is one. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array
    ? bytes
    : new Uint8Array((bytes as Uint8Array).buffer, (bytes as Uint8Array).byteOffset, (bytes as Uint8Array).byteLength);
}

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/**
 * The type name, such as `Uint8Array`, of a typed array of any realm (another window, `node:vm`, a test runner);
 * undefined for other values.
 */
export function arrayKind(value: unknown): string | undefined {
  return tagOf.call(value) as string | undefined;
}

/** The same bytes as an array of this realm; the array itself if it already is one. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array
    ? bytes
    : new Uint8Array((bytes as Uint8Array).buffer, (bytes as Uint8Array).byteOffset, (bytes as Uint8Array).byteLength);
}

/**
 * Memory that a port hands to another thread without a copy, where the platform has it: not in a page of a browser that
 * is not isolated.
 */
export function sharedBytes(length: number): Uint8Array {
  return typeof SharedArrayBuffer === 'undefined'
    ? new Uint8Array(length)
    : new Uint8Array(new SharedArrayBuffer(length));
}

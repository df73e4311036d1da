/** Whether bytes are equal, by the comparison of the platform where it has one. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (typeof Buffer !== 'undefined') return Buffer.compare(a, b) === 0;
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

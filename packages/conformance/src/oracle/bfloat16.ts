/** f32 to BF16, nearest with ties to even, and back: from the bits, as BF16 is the upper half of binary32. */
export function roundToBfloat16(x: number): number {
  if (!Number.isFinite(x)) return x;
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  const even = (bits >>> 16) & 1;
  view.setUint32(0, ((bits + 0x7fff + even) & 0xffff0000) >>> 0);
  return view.getFloat32(0);
}

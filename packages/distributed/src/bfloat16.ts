/** Rounds finite f32 numbers to BF16, the upper half of their bits, to nearest with ties to even. */
export function toBfloat16(values: Float32Array, halves: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < values.length; index++) {
    const word = bits[index]!;
    halves[index] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** @param values receives the numbers. */
export function fromBfloat16(halves: Uint16Array, values: Float32Array): Float32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  return values;
}

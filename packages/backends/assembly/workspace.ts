// Memory that the kernels use between calls for nothing: right after the module's own data.

export const PACKED_A_BYTES: usize = 128 << 10;
export const PACKED_B_BYTES: usize = 512 << 10;
const EDGE_BYTES: usize = 128;
/** Normals drawn at a time, which stay in the first-level cache. */
export const BLOCK: i32 = 1024;
const BLOCK_BYTES: usize = 4096;

export const PACKED_A: usize = (__heap_base + 63) & ~63;
export const PACKED_B: usize = PACKED_A + PACKED_A_BYTES;
export const EDGE: usize = PACKED_B + PACKED_B_BYTES;
export const NORMALS: usize = EDGE + EDGE_BYTES;
export const GRADIENT_PLUS: usize = NORMALS + BLOCK_BYTES;
export const GRADIENT_MINUS: usize = GRADIENT_PLUS + BLOCK_BYTES;

/** The first byte that the module does not use itself. */
export function firstFree(): usize {
  return GRADIENT_MINUS + BLOCK_BYTES;
}

// Scratch memory of a thread, undefined between calls. Each thread has its own instance of the module, and so its own
// globals.

import { noiseBlock } from '../src/cpu/wasm/numbers';

export const PACKED_A_BYTES: usize = 128 << 10;
export const PACKED_B_BYTES: usize = 512 << 10;
const EDGE_BYTES: usize = 256;
/** Random numbers drawn at a time, which stay in the first-level cache. */
const BLOCK_BYTES: usize = 4 * noiseBlock;
const SCHEDULE_BYTES: usize = 128;

export let PACKED_A: usize = 0;
export let PACKED_B: usize = 0;
export let EDGE: usize = 0;
/** Sampled magnitudes of a block of weights. */
export let SAMPLES_PLUS: usize = 0;
export let SAMPLES_MINUS: usize = 0;
export let GRADIENT_PLUS: usize = 0;
export let GRADIENT_MINUS: usize = 0;
/** Words of Philox that all blocks of a key share. */
export let SCHEDULE: usize = 0;

/** First byte after the module's own memory. */
export function firstFree(): usize {
  return (__heap_base + 63) & ~63;
}

/** Bytes that `initialize` takes for one thread. */
export function workspaceBytes(): usize {
  return PACKED_A_BYTES + PACKED_B_BYTES + EDGE_BYTES + 4 * BLOCK_BYTES + SCHEDULE_BYTES;
}

/** Gives this thread its workspace, on a cache line. */
export function initialize(base: usize): void {
  PACKED_A = base;
  PACKED_B = PACKED_A + PACKED_A_BYTES;
  EDGE = PACKED_B + PACKED_B_BYTES;
  SAMPLES_PLUS = EDGE + EDGE_BYTES;
  SAMPLES_MINUS = SAMPLES_PLUS + BLOCK_BYTES;
  GRADIENT_PLUS = SAMPLES_MINUS + BLOCK_BYTES;
  GRADIENT_MINUS = GRADIENT_PLUS + BLOCK_BYTES;
  SCHEDULE = GRADIENT_MINUS + BLOCK_BYTES;
}

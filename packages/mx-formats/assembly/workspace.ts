// Where a thread has the figures of the four blocks at hand, a lane each: there a lane is spread over a vector in one
// load. Each thread has an instance of the module of its own, and so its own globals.

/** Scale bytes. */
export let BYTES: usize = 0;
/** The exponent bits of the smallest normal element times the scale. */
export let THRESHOLDS: usize = 0;
/** The largest element times the scale. */
export let LIMITS: usize = 0;
/** What values are multiplied by before rounding and after it: 1 under E8M0 scales, which the thresholds see to. */
export let BEFORE: usize = 0;
export let AFTER: usize = 0;
/** Where each of four blocks starts and how many elements it has, as 32-bit integers. */
export let STARTS: usize = 0;
export let COUNTS: usize = 0;
/** One vector, of which a lane is spread. */
export let LANES: usize = 0;
/** One vector, of which some lanes are taken. */
export let TAIL: usize = 0;

/** Bytes that `initialize` takes for one instance. */
export function workspaceBytes(): usize {
  return 192;
}

/**
 * Gives this instance its workspace, at a multiple of 16. Each thread has an instance of its own on the same memory.
 */
export function initialize(workspace: usize): void {
  BYTES = workspace;
  THRESHOLDS = workspace + 16;
  LIMITS = workspace + 32;
  BEFORE = workspace + 48;
  AFTER = workspace + 64;
  STARTS = workspace + 80;
  COUNTS = workspace + 96;
  LANES = workspace + 112;
  TAIL = workspace + 128;
}

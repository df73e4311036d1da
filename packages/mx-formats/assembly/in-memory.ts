// Rounding of whole tensors, or parts of them that threads share, where they lie in a host's memory.

import { roundColumns } from './columns';
import { largestFinite, roundBlocksUntil } from './rows';
import { blockSize, configureBlocks, configureElement, configureWords } from './settings';
import { roundSingle } from './single';

/**
 * As `configureElement`, `configureWords` and `configureBlocks`, from 17 words at an address, in the order of their
 * parameters.
 */
export function configureFrom(at: usize): void {
  configureElement(
    load<i32>(at),
    load<i32>(at, 4),
    load<i32>(at, 8),
    load<i32>(at, 12),
    load<i32>(at, 16),
    load<i32>(at, 20),
    load<i32>(at, 24),
    load<i32>(at, 28) != 0,
    load<f32>(at, 32),
    load<i32>(at, 36) != 0,
  );
  configureWords(load<i32>(at, 40), load<i32>(at, 44));
  configureBlocks(load<i32>(at, 48), load<i32>(at, 52), load<i32>(at, 56), load<i32>(at, 60) != 0, load<f32>(at, 64));
}

/** Rounds the rows `from` to `to` of `length` elements, and writes nothing beyond them. */
export function roundRowsInMemory(
  from: i32,
  to: i32,
  settings: usize,
  source: usize,
  target: usize,
  words: usize,
  length: i32,
): void {
  configureFrom(settings);
  const at = <usize>from * (<usize>length << 2);
  source += at;
  target += at;
  words += at;
  const total = (to - from) * length;
  // Where blocks end within a vector, the kernels write beyond them: there the last block goes element by element.
  const odd = ((length | blockSize) & 3) != 0;
  const last = odd ? ((length - 1) % blockSize) + 1 : 0;
  roundBlocksUntil(source, target, words, total - last, length);
  const beyond = <usize>(total - last) << 2;
  if (last > 0) roundSingle(source + beyond, target + beyond, words + beyond, last, 4);
}

/**
 * Rounds along the middle one of the axes [any, `length`, `inner`]. `from` to `to` count slabs: outer index, then block
 * of rows, of which there are `blocks` for each outer index.
 */
export function roundSlabsInMemory(
  from: i32,
  to: i32,
  settings: usize,
  source: usize,
  target: usize,
  words: usize,
  length: i32,
  blocks: i32,
  inner: i32,
): void {
  configureFrom(settings);
  for (let slab = from; slab < to; slab++) {
    const first = (slab % blocks) * blockSize;
    const at = (<usize>((slab / blocks) * length + first) * <usize>inner) << 2;
    roundColumns(source + at, target + at, words + at, min(blockSize, length - first), inner);
  }
}

/**
 * The largest finite magnitudes, as float32 bits, of the parts `from` to `to` of `partSize` elements; `count` in all.
 */
export function largestInMemory(from: i32, to: i32, source: usize, out: usize, count: i32, partSize: i32): void {
  configureWords(0x7fffffff, 0x7f800000);
  for (let part = from; part < to; part++) {
    const start = part * partSize;
    store<i32>(out + (<usize>part << 2), largestFinite(source + (<usize>start << 2), min(partSize, count - start)));
  }
}

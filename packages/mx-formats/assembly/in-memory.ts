// Rounding of whole tensors, or parts of them that threads share, where they lie in a host's memory.

import { infinityBits, magnitudeMask, SettingWord } from '../src/wasm/numbers';
import { roundColumns } from './columns';
import { largestFinite, roundBlocksUntil } from './rows';
import { blockSize, configureBlocks, configureElement, configureWords } from './settings';
import { roundSingle } from './single';

/** As `configureElement`, `configureWords` and `configureBlocks`, from the words of `SettingWord` at an address. */
export function configureFrom(at: usize): void {
  configureElement(
    load<i32>(at, 4 * SettingWord.bits),
    load<i32>(at, 4 * SettingWord.significantBits),
    load<i32>(at, 4 * SettingWord.emin),
    load<i32>(at, 4 * SettingWord.emax),
    load<i32>(at, 4 * SettingWord.bias),
    load<i32>(at, 4 * SettingWord.largestBits),
    load<i32>(at, 4 * SettingWord.largestCode),
    load<i32>(at, 4 * SettingWord.twosComplement) != 0,
    load<f32>(at, 4 * SettingWord.intUnit),
    load<i32>(at, 4 * SettingWord.hasSpecials) != 0,
  );
  configureWords(load<i32>(at, 4 * SettingWord.magnitude), load<i32>(at, 4 * SettingWord.exponent));
  configureBlocks(
    load<i32>(at, 4 * SettingWord.upAbove),
    load<i32>(at, 4 * SettingWord.rounding),
    load<i32>(at, 4 * SettingWord.blockSize),
    load<i32>(at, 4 * SettingWord.e4m3) != 0,
    load<f32>(at, 4 * SettingWord.tensorScale),
  );
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
  const at = <usize>from * ((<usize>length) << 2);
  source += at;
  target += at;
  words += at;
  const total = (to - from) * length;
  // Where blocks end within a vector, the kernels write beyond them: there the last block goes element by element.
  const odd = ((length | blockSize) & 3) != 0;
  const last = odd ? ((length - 1) % blockSize) + 1 : 0;
  roundBlocksUntil(source, target, words, total - last, length);
  const beyond = (<usize>(total - last)) << 2;
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
  configureWords(magnitudeMask, infinityBits);
  for (let part = from; part < to; part++) {
    const start = part * partSize;
    store<i32>(out + ((<usize>part) << 2), largestFinite(source + ((<usize>start) << 2), min(partSize, count - start)));
  }
}

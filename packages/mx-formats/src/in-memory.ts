import { planOf, type QuantizeOptions, roundings } from './options.js';
import { wordsOf } from './round-block.js';
import { upAbove } from './scale.js';
import { tensorScaleFor } from './tensor-scale.js';
import { constantWords } from './wasm/instance.js';

export { kernelModule } from './wasm/instance.js';

/**
 * The kernels of `kernelModule` that round tensors where they lie. Each does the part `from` to `to` of its range.
 * Addresses are bytes, multiples of 4; source and target must not overlap, but up to 12 bytes beyond the end of the
 * source may be read.
 */
export interface InMemoryKernels {
  /** Bytes that `initialize` takes for one instance. */
  workspaceBytes(): number;
  /**
   * Gives this instance its workspace, at a multiple of 16. Each thread has an instance of its own on the same memory.
   */
  initialize(workspace: number): void;
  /** Of rows of `length` elements. */
  roundRowsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
  ): void;
  /** Of slabs, the blocks along the middle one of the axes [any, `length`, `inner`]. */
  roundSlabsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
    blocks: number,
    inner: number,
  ): void;
  /**
   * Encodes rows of `length` elements in `blocks` blocks each, by the settings of `planInMemory` for blocks along the rows: as integers, each
   * an element divided by the smallest one of its format, of 1 byte or of 2 where `wide`. A row takes a multiple of 16 integers, with
   * zeros at its end. `scales` gets what a block has: a byte (E8M0), or the f32 that its byte stands for (E4M3).
   */
  encodeIntegersInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    codes: number,
    scales: number,
    words: number,
    length: number,
    blocks: number,
    wide: boolean,
  ): void;
  /** The largest finite magnitude, as float32 bits, of each part of `partSize` elements. */
  largestInMemory(from: number, to: number, source: number, out: number, count: number, partSize: number): void;
}

/** How a tensor in a host's memory is rounded: which kernel, over what range, and what it is to be told. */
export interface InMemoryPlan {
  readonly kernel: 'roundRowsInMemory' | 'roundSlabsInMemory';
  /** The range: `from` is 0 and `to` is this, for the whole tensor. */
  readonly total: number;
  /** The arguments of the kernel after `words`. */
  readonly shape: readonly number[];
  /**
   * Rounding is stochastic: `words` is the address of the 32 random bits of each element, by row-major position. Else
   * it is not read.
   */
  readonly stochastic: boolean;
  /** `settings` needs the largest finite magnitude of the tensor, as float32 bits. */
  readonly needsLargest: boolean;
  /** What goes to the address `settings`, 17 words. */
  settings(largestBits?: number): Int32Array;
}

/**
 * Plans `fakeQuantize` for tensors in a WebAssembly memory of the caller's: the same options, the same bits, no copies,
 * and as many threads as the caller has. Instantiate `kernelModule()` with the memory as `env.memory`, call
 * `initialize` once, and for each tensor write `settings()` to memory and call
 * `kernel(0, total, settings, source, target, words, ...shape)`.
 *
 * @param count elements of the tensor
 * @throws MxFormatError for options that are unknown or do not fit the values
 */
export function planInMemory(count: number, options: QuantizeOptions): InMemoryPlan {
  const plan = planOf(count, options);
  const { grid, format, outer, length, inner, blocks, blockSize, rounding, scaleMode } = plan;
  const e4m3 = format.scale !== 'e8m0';
  const needsLargest = e4m3 && plan.tensorScale === undefined;
  const whole = length % blockSize === 0;
  return {
    kernel: inner === 1 ? 'roundRowsInMemory' : 'roundSlabsInMemory',
    // Rows of whole blocks are as many rows of one block.
    total: count === 0 ? 0 : inner === 1 && !whole ? outer : outer * blocks,
    shape: inner === 1 ? [whole ? blockSize : length] : [length, blocks, inner],
    stochastic: rounding === 'stochastic',
    needsLargest,
    settings(largestBits = 0) {
      const { kind, bits, bias, emin, emax, mantissaBits, hasNaN, largest } = grid.element;
      const tensorScale = !e4m3 ? 1 : needsLargest ? tensorScaleFor(grid, largestBits) : plan.tensorScale!;
      const [largestElement, unit, scale] = wordsOf(Float32Array.of(largest, 2 ** -mantissaBits, tensorScale)).bits;
      return Int32Array.of(
        bits,
        grid.significantBits,
        emin,
        emax,
        bias,
        largestElement!,
        grid.largestCode,
        Number(kind === 'int'),
        unit!,
        Number(hasNaN),
        ...constantWords,
        upAbove(grid, scaleMode),
        roundings.indexOf(rounding),
        blockSize,
        Number(e4m3),
        scale!,
      );
    },
  };
}

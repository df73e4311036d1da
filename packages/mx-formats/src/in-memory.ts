import { planOf, type QuantizeOptions } from './options.js';
import { wordsOf } from './round-block.js';
import { upAbove } from './scale.js';
import { tensorScaleFor } from './tensor-scale.js';
import { infinityBits, magnitudeMask, RoundingNumber, SettingWord } from './wasm/numbers.js';

export { kernelModule } from './wasm/instance.js';
export { type InMemoryArguments, type InMemoryKernels, inMemoryOrder } from './wasm/kernels.generated.js';

/** How a tensor in a host's memory is rounded: kernel, range and arguments. */
export type InMemoryPlan = RowsPlan | SlabsPlan;

interface RowsPlan extends CommonPlan {
  readonly kernel: 'roundRowsInMemory';
  readonly shape: readonly [length: number];
}

interface SlabsPlan extends CommonPlan {
  readonly kernel: 'roundSlabsInMemory';
  readonly shape: readonly [length: number, blocks: number, inner: number];
}

interface CommonPlan {
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
  /**
   * What goes to the address `settings`, 17 words, of which the last is the FP32 scale of the whole tensor (1 under
   * E8M0).
   */
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
    ...(inner === 1
      ? { kernel: 'roundRowsInMemory', shape: [whole ? blockSize : length] }
      : { kernel: 'roundSlabsInMemory', shape: [length, blocks, inner] }),
    // Rows of whole blocks are as many rows of one block.
    total: count === 0 ? 0 : inner === 1 && !whole ? outer : outer * blocks,
    stochastic: rounding === 'stochastic',
    needsLargest,
    settings(largestBits = 0) {
      const { kind, bits, bias, emin, emax, mantissaBits, hasNaN, largest } = grid.element;
      const tensorScale = !e4m3 ? 1 : needsLargest ? tensorScaleFor(grid, largestBits) : plan.tensorScale!;
      const [largestElement, unit, scale] = wordsOf(Float32Array.of(largest, 2 ** -mantissaBits, tensorScale)).bits;
      const values: Readonly<Record<Exclude<keyof typeof SettingWord, 'words'>, number>> = {
        bits,
        significantBits: grid.significantBits,
        emin,
        emax,
        bias,
        largestBits: largestElement!,
        largestCode: grid.largestCode,
        twosComplement: Number(kind === 'int'),
        intUnit: unit!,
        hasSpecials: Number(hasNaN),
        magnitude: magnitudeMask,
        exponent: infinityBits,
        upAbove: upAbove(grid, scaleMode),
        rounding: RoundingNumber[rounding],
        blockSize,
        e4m3: Number(e4m3),
        tensorScale: scale!,
      };
      const words = new Int32Array(SettingWord.words);
      for (const name of Object.keys(values) as (keyof typeof values)[]) words[SettingWord[name]] = values[name];
      return words;
    },
  };
}

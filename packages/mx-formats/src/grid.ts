import type { BlockFormat } from './block-formats.js';
import type { ElementFormat } from './element-formats.js';
import { validateBlockFormat, validateElementFormat } from './validate-format.js';

/** Biased float32 exponent (0 … 254) minus scale byte (0 … 254), plus this, indexes the tables of a `Grid`. */
export const gridOffset = 254;

/**
 * What the kernels need of a format: the spacing of its values, tabulated by binade, and a few constants. A value is
 * first divided by its block's scale, which is exact in float64; so one table serves every scale.
 */
export interface Grid {
  readonly element: ElementFormat;
  readonly emax: number;
  /** The largest finite magnitude. */
  readonly largest: number;
  /** The 23 mantissa bits of `largest` as a float32. */
  readonly largestMantissa: number;
  /** The bits after the leading one that `largest`'s binade has: what the scale mode `even` rounds to. */
  readonly significantBits: number;
  /** The distance between neighbours in each binade. */
  readonly quanta: Float64Array;
  /**
   * 2^52 quanta: adding it to a magnitude in float64 and taking it off again rounds to the nearest multiple of the
   * quantum.
   */
  readonly magic: Float64Array;
  /** 1 / quantum: a rounded magnitude times it is a whole number of quanta … */
  readonly inverseQuanta: Float64Array;
  /** … and with this added, the code without its sign. */
  readonly firstCodes: Int32Array;
  /** The code of `largest`. */
  readonly largestCode: number;
  /** With a scale byte below this, a subnormal float32 may fall into a binade that its exponent field does not show. */
  readonly tinyBelow: number;
  /** Added to each result: −0 changes nothing; +0, for two's complement, turns −0 into +0. */
  readonly zero: number;
}

const formatGrids = new WeakMap<BlockFormat, Grid>();
const elementGrids = new WeakMap<ElementFormat, Grid>();

/**
 * The grid of a block format, checked and computed once a record: records are data and must not be changed after use.
 *
 * @throws MxFormatError `INVALID_ARGUMENT` for a record that is inconsistent
 */
export function gridOf(format: BlockFormat): Grid {
  let grid = formatGrids.get(format);
  if (grid === undefined) {
    validateBlockFormat(format);
    grid = gridOfElement(format.element);
    formatGrids.set(format, grid);
  }
  return grid;
}

/** The grid of an element format, likewise. */
export function gridOfElement(element: ElementFormat): Grid {
  let grid = elementGrids.get(element);
  if (grid === undefined) {
    validateElementFormat(element);
    grid = compute(element);
    elementGrids.set(element, grid);
  }
  return grid;
}

function compute(element: ElementFormat): Grid {
  const { emax, emin, largest, bias, kind, mantissaBits } = element;
  const significantBits = kind === 'int' ? mantissaBits + emax : mantissaBits;
  const size = 2 * gridOffset + 1;
  const quanta = new Float64Array(size);
  const magic = new Float64Array(size);
  const firstCodes = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const exponent = Math.max(i - gridOffset, emin);
    const quantum = 2 ** (exponent - significantBits);
    // Without mantissa bits, neighbouring codes are neighbouring powers of two: an odd offset turns a tie towards the
    // even code.
    const odd = significantBits === 0 && i - gridOffset >= emin && (exponent + bias) % 2 === 0 ? 1 : 0;
    quanta[i] = quantum;
    magic[i] = (2 ** 52 + odd) * quantum;
    firstCodes[i] = (exponent - emin) * 2 ** significantBits;
  }
  const word = new Int32Array(Float32Array.of(largest).buffer)[0]!;
  return {
    element,
    emax,
    largest,
    largestMantissa: word & 0x7fffff,
    significantBits,
    quanta,
    magic,
    inverseQuanta: quanta.map((quantum) => 1 / quantum),
    firstCodes,
    largestCode: (emax - emin) * 2 ** significantBits + largest / 2 ** (emax - significantBits),
    // Without mantissa bits also the binade below that of the smallest normal number tells, by the offset above.
    tinyBelow: Math.max(0, -emin + (significantBits === 0 ? 1 : 0)),
    zero: kind === 'float' ? -0 : 0,
  };
}

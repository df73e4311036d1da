import { dequantize } from './dequantize.js';
import { gridOf } from './grid.js';
import type { QuantizeOptions } from './options.js';
import { unpack } from './pack.js';
import { quantize } from './quantize.js';

export interface QuantizationError {
  /** 10·log10(Σ v² / Σ (v − q)²), in dB: infinite without error, NaN if a value is not finite. */
  readonly signalToNoise: number;
  /** The largest |v − q|, in the unit of the values; NaN if a value is not finite. */
  readonly largestError: number;
  /** The fraction of values that are clipped, because they exceed the range of their block. */
  readonly clipped: number;
  /** The fraction of nonzero values that become zero. */
  readonly flushed: number;
}

/**
 * The quantization error of values, accumulated in float64. Without values, there is no error.
 *
 * @throws MxFormatError as `quantize`
 */
export function quantizationError(values: Float32Array, options: QuantizeOptions): QuantizationError {
  const tensor = quantize(values, options);
  const { element } = tensor.format;
  const rounded = dequantize(tensor);
  const codes = unpack(tensor.codes, element.bits, values.length);
  const { largestCode } = gridOf(tensor.format);
  const lowestCode = element.kind === 'int' ? 2 ** element.bits - largestCode : 2 ** (element.bits - 1) + largestCode;
  let signal = 0;
  let noise = 0;
  let largestError = 0;
  let clipped = 0;
  let flushed = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const error = Math.abs(value - rounded[i]!);
    signal += value * value;
    noise += error * error;
    largestError = Math.max(largestError, error);
    if ((codes[i] === largestCode || codes[i] === lowestCode) && Math.abs(value) > Math.abs(rounded[i]!)) clipped++;
    if (value !== 0 && rounded[i] === 0) flushed++;
  }
  const count = Math.max(values.length, 1);
  return {
    signalToNoise: noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise),
    largestError,
    clipped: clipped / count,
    flushed: flushed / count,
  };
}

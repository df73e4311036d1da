import { checkFloats } from './arrays.js';
import { roundVisitor, visitBlocks } from './blocks.js';
import { checkedOut } from './checked-out.js';
import { throughWasm } from './kernels.js';
import { planOf, type QuantizeOptions } from './options.js';
import { wordsOf } from './round-block.js';
import { tensorScaleOf } from './tensor-scale.js';
import { wasmFakeQuantize } from './wasm/kernels.js';

/**
 * Quantizes to a block format and back: each value is replaced by the float32 value of its nearest code under its
 * block's scale. The result is bit-identical to `dequantize(quantize(values, options))`, without computing the codes.
 *
 * A block with a NaN or an infinity becomes all NaN. −0 keeps its sign (in two's complement it becomes +0). A result
 * beyond float32, which only a block within a factor of two of 2^128 can give under `ceil` and `even`, is infinite.
 *
 * @param values float32 values, row-major; a view into a larger buffer is fine
 * @param out where to write; `values` itself to work in place. Default: a new array
 * @throws MxFormatError for options that are unknown or do not match the values
 */
export function fakeQuantize(values: Float32Array, options: QuantizeOptions, out?: Float32Array): Float32Array {
  checkFloats('values', values);
  const plan = planOf(values.length, options);
  const result = checkedOut(values, out);
  if (throughWasm(values.length) && wasmFakeQuantize(plan, values, result)) return result;
  const source = wordsOf(values);
  const target = result === values ? source : wordsOf(result);
  const tensorScale = plan.format.scale === 'e8m0' ? 1 : tensorScaleOf(plan, source);
  visitBlocks(plan, source, target.bits, (size) => new Int32Array(size), roundVisitor(plan, tensorScale));
  return result;
}

import { checkFloats } from './arrays.js';
import { encodeVisitor, visitBlocks } from './blocks.js';
import { throughWasm } from './kernels.js';
import { type Plan, planOf, type QuantizeOptions } from './options.js';
import { pack } from './pack.js';
import { wordsOf } from './round-block.js';
import type { MxTensor } from './tensor.js';
import { tensorScaleOf } from './tensor-scale.js';
import { wasmQuantize } from './wasm/kernels.js';

/**
 * Quantizes to a block format: packed codes and one scale per block.
 *
 * A block with a NaN or an infinity gets the NaN scale (0xFF in E8M0, 0x7F in E4M3) and zero codes; an all-zero block
 * gets scale 0 and zero codes, −0 keeping its sign where the element has one.
 *
 * @param values float32 values, row-major
 * @throws MxFormatError for options that are unknown or do not match the values
 */
export function quantize(values: Float32Array, options: QuantizeOptions): MxTensor {
  checkFloats('values', values);
  const plan = planOf(values.length, options);
  const { format, shape, axis, blockSize } = plan;
  const parts = (throughWasm(values.length) ? wasmQuantize(plan, values) : undefined) ?? plainQuantize(plan, values);
  return { format, shape: [...shape], axis, blockSize, ...parts };
}

function plainQuantize(plan: Plan, values: Float32Array): Pick<MxTensor, 'scales' | 'codes' | 'tensorScale'> {
  const source = wordsOf(values);
  const tensorScale = plan.format.scale === 'e8m0' ? 1 : tensorScaleOf(plan, source);
  const scales = new Uint8Array(plan.outer * plan.blocks * plan.inner);
  const codes = new Uint8Array(values.length);
  visitBlocks(plan, source, codes, (size) => new Uint8Array(size), encodeVisitor(plan, tensorScale, scales));
  return { scales, codes: pack(codes, plan.format.element.bits), tensorScale };
}

import { forEachBlock } from './blocks.js';
import { checkLength } from './checked-out.js';
import { decodeTable } from './element-codes.js';
import { throughWasm } from './kernels.js';
import { checkPadding, unpack } from './pack.js';
import { wordsOf } from './round-block.js';
import { nanScale, scaleValues } from './scale.js';
import { checkTensor, type MxTensorInput } from './tensor.js';
import { e4m3ScaleValue, totalScale } from './tensor-scale.js';
import { wasmDequantize } from './wasm/kernels.js';

/**
 * The float32 values of a quantized tensor, row-major. A block whose scale is NaN is all NaN, and so is an element
 * whose code is; a product beyond float32 is infinite.
 *
 * @param tensor what `quantize` gives; its format may be a name
 * @param out where to write. Default: a new array
 * @throws MxFormatError for an inconsistent tensor
 */
export function dequantize(tensor: MxTensorInput, out?: Float32Array): Float32Array {
  const { checked, result } = checkedArguments(tensor, out);
  if (throughWasm(checked.count) && wasmDequantize(checked, tensor, result)) return result;
  return decode(checked, tensor, result);
}

/**
 * `dequantize` without WebAssembly, whose code a bundler then leaves out: 12 kB less of a page, compressed. Slower for
 * large tensors, with the same bits.
 */
export function dequantizePlain(tensor: MxTensorInput, out?: Float32Array): Float32Array {
  const { checked, result } = checkedArguments(tensor, out);
  return decode(checked, tensor, result);
}

type Checked = ReturnType<typeof checkTensor>;

function checkedArguments(tensor: MxTensorInput, out: Float32Array | undefined) {
  const checked = checkTensor(tensor);
  const { format, count } = checked;
  if (out !== undefined) checkLength(out, count);
  checkPadding(tensor.codes, format.element.bits, count);
  return { checked, result: out ?? new Float32Array(count) };
}

function decode(checked: Checked, tensor: MxTensorInput, result: Float32Array): Float32Array {
  const { format, count, blockSize } = checked;
  const { element } = format;
  const { floats, bits } = wordsOf(result);
  const codes = unpack(tensor.codes, element.bits, count);
  const table = decodeTable(element);
  const values = new Float32Array(table.buffer);
  const scaleOf = format.scale === 'e8m0' ? (byte: number) => scaleValues[byte]! : e4m3Total(tensor.tensorScale);
  const nan = format.scale === 'e8m0' ? (byte: number) => byte === nanScale : (byte: number) => (byte & 0x7f) === 0x7f;
  forEachBlock(checked, blockSize, (block, start, step, size) => {
    const byte = tensor.scales[block]!;
    const end = start + size * step;
    if (nan(byte)) {
      for (let i = start; i < end; i += step) bits[i] = 0x7fc00000;
      return;
    }
    const scale = scaleOf(byte);
    for (let i = start; i < end; i += step) {
      const code = codes[i]!;
      const value = values[code]!;
      // NaNs go as bits: their sign and payload would otherwise be the processor's to choose.
      if (Number.isNaN(value)) bits[i] = table[code]!;
      else floats[i] = value * scale;
    }
  });
  return result;
}

function e4m3Total(tensorScale: number): (code: number) => number {
  return (code) => totalScale(tensorScale, e4m3ScaleValue(code));
}

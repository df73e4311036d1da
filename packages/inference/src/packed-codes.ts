import { LmdError, type PackedCodes, sizeOf } from '@lmd/core';
import { formatNamed, type MxTensor } from '@lmd/mx-formats';
import { type SafetensorsDtype, type SafetensorsTensor, toFloat32Array } from '@lmd/safetensors';
import type { PackedWeights } from './packed-tensors.js';

/** Types of codes in a file, by element format. */
export const codeTypes: Readonly<Record<string, SafetensorsDtype>> = {
  e5m2: 'F8_E5M2',
  e4m3: 'F8_E4M3',
  e3m2: 'F6_E3M2',
  e2m3: 'F6_E2M3',
  e2m1: 'F4',
  int8: 'I8',
};

type Read = (name: string) => Promise<SafetensorsTensor>;

/** Decodes codes: `dequantize` of @lmd/mx-formats, or `dequantizePlain`. */
export type Dequantize = (tensor: MxTensor) => Float32Array;

/** The decoded values. `read` returns tensors of the file. Throws `DATA_CORRUPT` naming the weight. */
export function unpackWeight(
  name: string,
  packed: PackedWeights,
  read: Read,
  dequantize: Dequantize,
): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }> {
  return readWeight(name, packed, read, (tensor) => ({
    // Nothing to decode, for any number of empty rows.
    data: sizeOf(tensor.shape) === 0 ? new Float32Array(0) : dequantize(tensor),
    shape: tensor.shape,
  }));
}

/** The codes of the file, for products that contract `axis`. Throws `DATA_CORRUPT` naming the weight. */
export function packedWeight(name: string, packed: PackedWeights, read: Read, axis: number): Promise<PackedCodes> {
  return readWeight(name, packed, read, (tensor) => {
    if (tensor.axis === axis) return tensor;
    throw new Error(`its blocks run along axis ${tensor.axis}, but its product contracts axis ${axis}`);
  });
}

async function readWeight<Result>(
  name: string,
  { format: formatName, axes }: PackedWeights,
  read: Read,
  result: (tensor: MxTensor) => Result,
): Promise<Result> {
  try {
    const format = formatNamed(formatName as Parameters<typeof formatNamed>[0]);
    const [codes, scales] = [await read(`${name}.codes`), await read(`${name}.scales`)];
    const expected = codeTypes[format.element.name]!;
    if (codes.dtype !== expected) throw new Error(`its codes are ${codes.dtype}, not ${expected}`);
    const packed: MxTensor = {
      format,
      shape: codes.shape,
      axis: axes[name]!,
      blockSize: format.blockSize,
      scales: scales.data,
      codes: codes.data,
      tensorScale: format.scale === 'e8m0' ? 1 : toFloat32Array(await read(`${name}.tensorScale`))[0]!,
    };
    return result(packed);
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `The packed weight ${name} cannot be read: ${(cause as Error).message}`, {
      subject: name,
      value: formatName,
      remedy: 'Write the file again with lmd quantize.',
      cause,
    });
  }
}

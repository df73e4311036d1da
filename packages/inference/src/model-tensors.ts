import { LmdError, type PackedCodes, sizeOf } from '@lmd/core';
import type { PretrainedTensors } from '@lmd/models';
import { dequantizePlain, type FormatName, type QuantizeOptions } from '@lmd/mx-formats';
import { type SafetensorsTensor, toFloat32Array, toFloat64Array } from '@lmd/safetensors';
import { type Dequantize, packedWeight, unpackWeight } from './packed-codes.js';
import { packedPart, packedWeightsOf } from './packed-tensors.js';
import type { TensorFile } from './tensor-file.js';

/** How weights are decoded and encoded. WebAssembly's code is large: only Node has it. */
export interface BlockCodec {
  readonly dequantize: Dequantize;
  readonly quantize?: (values: Float32Array, options: QuantizeOptions) => PackedCodes;
}

interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The weights of a model file as float32 values, however they are stored: packed, in F64, F32, F16 or BF16. */
export interface ModelTensors extends PretrainedTensors {
  readonly names: readonly string[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Notes for the user about how the weights are read. */
  readonly notes: readonly string[];
  /** The block format of the packed weights; undefined if none are packed. */
  readonly packedFormat: string | undefined;
  read(name: string): Promise<Values>;
  /**
   * A matrix as packed codes with blocks along `axis`: those of the file, or quantized to `format`; undefined if it is
   * not packed and `format` is not given. One tensor is in memory at a time.
   */
  codes(name: string, axis: number, format: FormatName | undefined): Promise<PackedCodes | undefined>;
}

/**
 * @throws LmdError `DATA_CORRUPT` for damaged metadata of packed weights, or for missing packed weights.
 */
export function modelTensors(
  file: TensorFile,
  path: string,
  { dequantize, quantize }: BlockCodec = { dequantize: dequantizePlain },
): ModelTensors {
  const packed = packedWeightsOf(file.metadata, path);
  const shapes = new Map<string, readonly number[]>();
  const found = new Set<string>();
  let doubles = 0;
  for (const [name, { dtype, shape }] of file.entries) {
    const part = packedPart(packed, name);
    if (dtype === 'F64') doubles += 1;
    if (part === undefined) shapes.set(name, shape);
    else if (part.part === 'codes') {
      shapes.set(part.weight, shape);
      found.add(part.weight);
    }
  }
  const missing = Object.keys(packed?.axes ?? {}).find((name) => !found.has(name));
  if (missing !== undefined) {
    throw new LmdError('DATA_CORRUPT', `${path}: the packed weight ${missing} has no codes.`, {
      subject: missing,
      value: path,
      remedy: 'Write the file again with lmd quantize.',
    });
  }
  return {
    names: [...shapes.keys()],
    shapes,
    notes: doubles === 0 ? [] : [`${path} contains ${doubles} tensors in F64, which are rounded to float32`],
    packedFormat: packed?.format,
    async codes(name, axis, format) {
      if (found.has(name)) return packedWeight(name, packed!, (part) => file.read(part), axis);
      if (format === undefined) return undefined;
      const { data, shape } = float32Of(name, await file.read(name));
      if (quantize !== undefined) return quantize(data, { format, shape, axis });
      throw new LmdError('UNSUPPORTED', `${path} is not packed, and is not packed to ${format} here.`, {
        subject: 'format',
        value: format,
        remedy: 'Pack the file with lmd quantize, or open it with @lmd/inference/node.',
      });
    },
    read: async (name) =>
      found.has(name)
        ? unpackWeight(name, packed!, (part) => file.read(part), dequantize)
        : float32Of(name, await file.read(name)),
  };
}

/** The values of a tensor in float32. Throws `UNSUPPORTED` for F64 values outside the range of float32. */
export function float32Of(name: string, tensor: SafetensorsTensor): Values {
  const { shape } = tensor;
  if (tensor.dtype !== 'F64') return { data: toFloat32Array(tensor), shape };
  const exact = toFloat64Array(tensor);
  const data = Float32Array.from(exact);
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i]) || !Number.isFinite(exact[i])) continue;
    throw new LmdError(
      'UNSUPPORTED',
      `The tensor ${name} of shape [${shape}] (${sizeOf(shape)} values) contains ${exact[i]}.`,
      {
        subject: name,
        value: exact[i],
        remedy: 'Weights must be in the range of float32, whose largest number is 3.4e38.',
      },
    );
  }
  return { data, shape };
}

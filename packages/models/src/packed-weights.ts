import {
  canPackMatrix,
  checkModelOperations,
  isLmdError,
  LmdError,
  type NamedTensors,
  type Operations,
  type PackedCodes,
  type PackedMatrices,
  type PackedMatrix,
  type Quantization,
  roundingDefaults,
} from '@lmd/core';
import { quantize } from '@lmd/mx-formats';
import type { Gpt2 } from './gpt2.js';
import { contractionAxes } from './pretrained/contraction-axes.js';

/** Weights of a model with packed matrices. */
export interface PackedModel {
  /** The other weights, in f32: norms, biases and position embeddings. */
  readonly weights: NamedTensors;
  readonly packedWeights: PackedMatrices;
}

/**
 * Packs the matrices of a GPT-2, including the token embedding, as codes of a block format for `generate`: 8.25, 6.25
 * or 4.25 bits per value, rounded to nearest. The caller still owns the f32 matrices in `weights`, and may free them.
 *
 * @returns the other weights, which are the tensors in `weights`, and the packed matrices, owned by the caller: free
 * each with `ops.dispose(matrix.tensors)`
 * @throws LmdError `UNSUPPORTED` for a format that cannot be packed (`canPackMatrix`)
 */
export async function packWeights(
  ops: Operations,
  model: Pick<Gpt2, 'parameters'>,
  weights: NamedTensors,
  { format, scaleMode = roundingDefaults.scaleMode, rounding = roundingDefaults.rounding }: Quantization,
): Promise<PackedModel> {
  checkModelOperations(ops);
  if (!canPackMatrix(format) || rounding === 'stochastic') {
    throw new LmdError('UNSUPPORTED', `packWeights: format is "${format.name}" with rounding ${rounding}.`, {
      subject: 'format',
      value: format.name,
      remedy:
        'Use a format of OCP MX or NVFP4, in blocks of 16 times a power of two, and a rounding other than stochastic.',
    });
  }
  const axes = matrixAxes(model);
  const packed: { [name: string]: PackedMatrix } = {};
  try {
    for (const [name, axis] of axes) {
      const { shape } = weights[name]!;
      const values = (await ops.read(weights[name]!)) as Float32Array;
      packed[name] = packWeight(ops, name, quantize(values, { format, shape, axis, rounding, scaleMode }));
    }
  } catch (error) {
    for (const { tensors } of Object.values(packed)) ops.dispose(tensors);
    throw error;
  }
  const rest = Object.entries(weights).filter(([name]) => !axes.has(name));
  return { weights: Object.fromEntries(rest), packedWeights: packed };
}

/** `packMatrix` of one weight; errors name the weight. */
export function packWeight(ops: Operations, weight: string, codes: PackedCodes): PackedMatrix {
  try {
    return ops.packMatrix(codes);
  } catch (cause) {
    if (!isLmdError(cause)) throw cause;
    const { code, value, message } = cause;
    throw new LmdError(code, `The packed weight ${weight}: ${message}`, { subject: weight, value, cause });
  }
}

/** The matrices of a GPT-2 by our names, with the axes that their products contract. */
export function matrixAxes({ parameters }: Pick<Gpt2, 'parameters'>): ReadonlyMap<string, number> {
  return contractionAxes(Object.entries(parameters).map(([name, { shape }]) => [name, shape])) ?? new Map();
}

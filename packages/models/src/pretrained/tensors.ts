import { LmdError, type PackedCodes, sizeOf } from '@lmd/core';

/** An array of numbers with its shape, as a file holds it. */
export interface PretrainedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Tensors by name, each read when it is asked for: what a safetensors file, or several, offer. */
export interface PretrainedTensors {
  readonly names: Iterable<string>;
  read(name: string): PretrainedTensor | Promise<PretrainedTensor>;
  /**
   * The packed codes of a matrix of a GPT-2, whose products contract `axis`, for a model that keeps it packed;
   * undefined for a matrix that is read as values.
   */
  packed?(name: string, axis: number): PackedCodes | undefined | Promise<PackedCodes | undefined>;
}

/** The same, whether given as a record or as a reader. */
export function readerOf(
  tensors: PretrainedTensors | { readonly [name: string]: PretrainedTensor },
): PretrainedTensors {
  if (typeof tensors.read === 'function') return tensors as PretrainedTensors;
  const record = tensors as { readonly [name: string]: PretrainedTensor };
  return { names: Object.keys(record), read: (name) => record[name]! };
}

/** Reads a tensor, and says which one it is where that fails or its data do not fill its shape. */
export async function readTensor(tensors: PretrainedTensors, name: string): Promise<PretrainedTensor> {
  let tensor: PretrainedTensor;
  try {
    tensor = await tensors.read(name);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LmdError('CHECKPOINT_CORRUPT', `The tensor "${name}" cannot be read: ${reason}`, {
      subject: name,
      remedy: 'Download the file again.',
      cause,
    });
  }
  if (tensor.data.length === sizeOf(tensor.shape)) return tensor;
  throw new LmdError(
    'CHECKPOINT_CORRUPT',
    `The tensor "${name}" has ${tensor.data.length} elements, but its shape [${tensor.shape}] has ` +
      `${sizeOf(tensor.shape)}.`,
    { subject: name, value: tensor.shape, remedy: 'Download the file again.' },
  );
}

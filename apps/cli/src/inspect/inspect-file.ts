import { modelFormat, packedKey, packedPart, packedWeightsOf, unpackWeight } from '@lmd/inference';
import { openTensorFile } from '@lmd/inference/node';
import { dequantize } from '@lmd/mx-formats';
import { byteLengthOf, type SafetensorsTensor, toFloat32Array, toTypedArray } from '@lmd/safetensors';
import { summarizeValues, type TensorSummary } from './tensor-summary.js';

export interface FileInspection {
  readonly type: 'file';
  readonly path: string;
  /** The kind of file, from its metadata. */
  readonly kind: 'model' | 'packed model' | 'checkpoint' | 'safetensors';
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
}

const floats = ['F32', 'F16', 'BF16', 'F64'];

function valuesOf(tensor: SafetensorsTensor): Float32Array | Float64Array {
  return tensor.dtype === 'F64' ? (toTypedArray(tensor) as Float64Array) : toFloat32Array(tensor);
}

/**
 * Reads a safetensors file tensor by tensor and summarizes each. Packed weights are summarized as their decoded values.
 */
export async function inspectFile(path: string): Promise<FileInspection> {
  const file = await openTensorFile(path);
  try {
    const { metadata } = file;
    const packed = packedWeightsOf(metadata, path);
    const tensors: TensorSummary[] = [];
    const read = (name: string) => file.read(name);
    // Sorted by name, which keeps layers and the parts of a packed weight together. The file is sorted by alignment.
    const entries = [...file.entries].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, { dtype, shape }] of entries) {
      const part = packedPart(packed, name);
      const stored = { name, dtype, shape, bytes: byteLengthOf(dtype, shape) };
      if (packed !== undefined && part !== undefined) {
        const isCodes = part.part === 'codes';
        tensors.push({
          ...stored,
          ...(isCodes
            ? { values: summarizeValues((await unpackWeight(part.weight, packed, read, dequantize)).data) }
            : {}),
        });
      } else {
        const isFloat = floats.includes(dtype);
        tensors.push({ ...stored, ...(isFloat ? { values: summarizeValues(valuesOf(await read(name))) } : {}) });
      }
    }
    return { type: 'file', path, kind: kindOf(metadata), metadata, tensors };
  } finally {
    await file.close();
  }
}

function kindOf(metadata: Readonly<Record<string, string>>): FileInspection['kind'] {
  if (metadata[packedKey] !== undefined) return 'packed model';
  if (metadata.format === modelFormat) return 'model';
  return metadata.format?.startsWith('lmd-checkpoint') ? 'checkpoint' : 'safetensors';
}

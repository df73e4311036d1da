import { type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import { tensorFrom, toFloat32Array } from '@lmd/safetensors';
import { readSafetensorsFile, writeSafetensorsFile } from '@lmd/safetensors/node';
import { readTensors } from '../checkpoints/checkpoint.js';
import { fileSystemError, withFileErrors } from './file-errors.js';

/**
 * Writes weights as a safetensors file, atomically. The same weights and metadata give the same bytes.
 *
 * @throws LmdError `FILE_SYSTEM`, naming the path.
 */
export async function exportModel(
  ops: EagerOperations,
  path: string,
  weights: NamedTensors,
  metadata: { readonly [name: string]: string } = {},
): Promise<void> {
  const host = await readTensors(ops, weights);
  const tensors = Object.entries(host).map(([name, { data, shape }]) => [name, tensorFrom(data, shape)] as const);
  await withFileErrors('write', path, () => writeSafetensorsFile(path, { tensors: new Map(tensors), metadata }));
}

/**
 * Reads weights written by `exportModel`, or any safetensors file of f32, f16 or bf16 tensors, as f32 tensors owned by
 * the caller.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` for a file that is not safetensors or contains other types.
 */
export async function importModel(
  ops: EagerOperations,
  path: string,
): Promise<{ readonly weights: NamedTensors; readonly metadata: { readonly [name: string]: string } }> {
  try {
    const { tensors, metadata } = await readSafetensorsFile(path);
    const host = [...tensors].map(([name, tensor]) => [name, toFloat32Array(tensor), tensor.shape] as const);
    const weights = Object.fromEntries(
      host.map(([name, data, shape]) => [name, ops.keep(ops.fromData(data, shape, 'f32'))]),
    );
    return { weights, metadata: { ...metadata } };
  } catch (cause) {
    const error = fileSystemError('read', path, cause);
    if (error !== cause || !(cause instanceof Error)) throw error;
    throw new LmdError('DATA_CORRUPT', `${path} contains no readable weights: ${cause.message}`, {
      subject: path,
      cause,
    });
  }
}

import { isLmdError } from '@lmd/core';
import { parseSafetensors } from '@lmd/safetensors';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from './checkpoint.js';
import { decodeCheckpoint, encodeCheckpoint, encodeCheckpointParts, webSha256 } from './checkpoint-format.js';

const checkpoint: Checkpoint = {
  step: 100,
  optimizerStep: 100,
  tensors: {
    'head.weight/logPlus': {
      shape: [2, 2],
      dtype: 'f32',
      data: Float32Array.of(-0, 1e-45, Math.fround(0.1), 3.4e38),
    },
    'head.weight/logPriorMedian': { shape: [], dtype: 'f32', data: Float32Array.of(-3) },
  },
  plugins: {
    average: { data: null, tensors: { 'head.weight': { shape: [1], dtype: 'i32', data: Int32Array.of(-7) } } },
    // Text that looks like the digest's own entry must not be taken for it.
    trap: { data: { sha256: `"sha256":"${'a'.repeat(64)}"`, list: [1, null, true] }, tensors: {} },
  },
  identity: { model: 'mlp "quoted" ✓', seed: 2 ** 53 - 1 },
  lastLoss: 0.1 + 0.2,
  lastValidation: { loss: 1, accuracy: 0.5, perplexity: Math.E, examples: 10, step: 100 },
  seconds: 1.5,
  versions: { training: '0.1.0', backend: 'reference', device: 'here' },
};

const failure = async (bytes: Uint8Array) => {
  try {
    await decodeCheckpoint(bytes, 'step-00000100.safetensors');
    return 'it was accepted';
  } catch (error) {
    return isLmdError(error) ? error.code : error;
  }
};

describe('checkpoint format', () => {
  it('gives back what it was given, to the bit', async () => {
    const decoded = await decodeCheckpoint(await encodeCheckpoint(checkpoint));
    expect(decoded).toEqual(checkpoint);
    expect(Object.is(decoded.tensors['head.weight/logPlus']!.data[0], -0)).toBe(true);
  });

  it('is a safetensors file that any reader opens', async () => {
    const { tensors } = parseSafetensors(await encodeCheckpoint(checkpoint));
    expect([...tensors.keys()].sort()).toEqual([
      'optimizer/head.weight/logPlus',
      'optimizer/head.weight/logPriorMedian',
      'plugin/average/head.weight',
    ]);
  });

  it('comes in parts that copy no tensor', async () => {
    const parts = await encodeCheckpointParts(checkpoint, webSha256);
    expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(await encodeCheckpoint(checkpoint));
    const { data } = checkpoint.tensors['head.weight/logPlus']!;
    expect(parts.some((part) => part.buffer === data.buffer)).toBe(true);
  });

  it('refuses a file cut at any byte', async () => {
    const bytes = await encodeCheckpoint(checkpoint);
    for (let length = 0; length < bytes.length; length++) {
      expect(await failure(bytes.subarray(0, length)), `cut to ${length} bytes`).toBe('CHECKPOINT_CORRUPT');
    }
    expect(await failure(Uint8Array.from([...bytes, 0]))).toBe('CHECKPOINT_CORRUPT');
  });

  it('refuses a file with any one bit turned', async () => {
    const bytes = await encodeCheckpoint(checkpoint);
    for (let index = 0; index < bytes.length; index++) {
      const turned = bytes.slice();
      turned[index]! ^= 1 << (index % 8);
      expect(await failure(turned), `bit ${index % 8} of byte ${index}`).toBe('CHECKPOINT_CORRUPT');
    }
  });

  it('names the file and what to do', async () => {
    await expect(decodeCheckpoint(Uint8Array.of(1, 2, 3), 'step-00000100.safetensors')).rejects.toThrow(
      /step-00000100\.safetensors cannot be read: .*latestCheckpoint/,
    );
  });

  it('refuses plugin state that JSON would change', async () => {
    for (const data of [Number.NaN, { best: Number.POSITIVE_INFINITY }, [undefined], new Map()]) {
      const encoding = encodeCheckpoint({ ...checkpoint, plugins: { bad: { data: data as never } } });
      await expect(encoding).rejects.toThrow(/the state of plugin "bad".* is .*JSON cannot represent/);
    }
  });
});

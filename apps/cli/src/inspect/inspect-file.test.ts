import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTensors } from '../../test/foreign.js';
import { temporaryFolder } from '../../test/lmd.js';
import { inspectFile } from './inspect-file.js';

const path = join(temporaryFolder(), 'packed.safetensors');
const empty = { dtype: 'F6_E3M2', shape: [2 ** 49, 0], data: new Uint8Array(0) } as const;
const parts = { 'w.codes': empty, 'w.scales': { ...empty, dtype: 'F8_E8M0' } } as const;

describe('a packed file', () => {
  it('of rows without elements does not keep anyone waiting', async () => {
    writeTensors(path, parts, { packed: '{"format": "mxfp6_e3m2", "axes": {"w": 1}}' });
    const { tensors, kind } = await inspectFile(path);
    expect(kind).toBe('packed model');
    expect(tensors.map(({ name }) => name)).toContain('w.codes');
  });

  it.each(['null', '{', '{}', '{"format": "mxfp4_e2m1", "axes": []}', '{"format": "toString", "axes": {}}'])(
    'with the metadata %s is refused',
    async (packed) => {
      writeTensors(path, parts, { packed });
      await expect(inspectFile(path)).rejects.toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
    },
  );
});

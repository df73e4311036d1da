import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bitsPerElement,
  parseSafetensors,
  type SafetensorsDtype,
  safetensorsDtypes,
  serializeSafetensors,
  tensorFrom,
} from './index.js';

// Written by the original library (safetensors 0.8.0 for Python); see test/golden/README.md.
const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../test/golden/${name}`, import.meta.url)));

describe('files of the original library', () => {
  const file = parseSafetensors(golden('every-dtype.safetensors'));
  const withoutPython = new Set<SafetensorsDtype>(['F6_E2M3', 'F6_E3M2']);

  it('reads every element type that its Python binding writes', () => {
    const written = safetensorsDtypes.filter((dtype) => !withoutPython.has(dtype));
    for (const [index, dtype] of safetensorsDtypes.entries()) {
      if (withoutPython.has(dtype)) continue;
      const tensor = file.tensors.get(`x.${dtype}`)!;
      expect(tensor.dtype).toBe(dtype);
      // The Python name of F4 counts pairs of elements.
      expect(tensor.shape).toEqual(dtype === 'F4' ? [2, 8] : [2, 4]);
      const expected = Uint8Array.from(tensor.data, (_, byte) => (index * 7 + byte * 13 + 1) % 251);
      expect(tensor.data, dtype).toEqual(expected);
    }
    expect(file.tensors.size).toBe(written.length + 5);
  });

  it('reads scalars, empty tensors, odd names and metadata', () => {
    expect(file.tensors.get('a scalar')).toMatchObject({ dtype: 'F32', shape: [] });
    expect(file.tensors.get('empty')?.data.length).toBe(0);
    expect(file.tensors.has('ünïcode "quoted" \n\t\u0001\u007f\u2028 \u{1f600}')).toBe(true);
    expect({ ...file.metadata }).toEqual({ format: 'pt' });
  });

  it('writes the very same bytes, from tensors in any order', () => {
    for (const tensors of [file.tensors, new Map([...file.tensors].reverse())]) {
      const written = serializeSafetensors({ tensors, metadata: file.metadata });
      expect(Buffer.compare(written, golden('every-dtype.safetensors'))).toBe(0);
    }
    expect(serializeSafetensors({ tensors: {} })).toEqual(golden('empty.safetensors'));
  });
});

describe('written-here.safetensors, which dev/golden/safetensors/check.py reads with the original library', () => {
  const float = (shape: number[], ...values: number[]) => tensorFrom(new Float32Array(values), shape);
  const input = {
    tensors: {
      ...Object.fromEntries(
        safetensorsDtypes.map((dtype, k) => {
          const data = Uint8Array.from({ length: bitsPerElement(dtype) }, (_, byte) => (k * 7 + byte * 13 + 1) % 251);
          return [`y.${dtype}`, { dtype, shape: [2, 4], data }];
        }),
      ),
      'a scalar': float([], 1),
      empty: float([0, 4]),
      'ünïcode "quoted" \n\t\u0001\u007f\u2028 \u{1f600}': float([1], 2),
      '\uffee': float([1], 8),
      '\u{1f600}': float([1], 32),
    },
    metadata: { note: 'quoted "value" \u2028', format: 'lmd' },
  };

  it('is what this package writes', () => {
    const written = serializeSafetensors(input);
    if (process.env.LMD_WRITE_GOLDEN !== undefined) {
      writeFileSync(new URL('../test/golden/written-here.safetensors', import.meta.url), written);
    }
    expect(Buffer.compare(written, golden('written-here.safetensors'))).toBe(0);
  });
});

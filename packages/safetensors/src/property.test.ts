import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  byteLengthOf,
  isSafetensorsError,
  parseSafetensors,
  type SafetensorsTensor,
  safetensorsDtypes,
  serializeSafetensors,
} from './index.js';

const name = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((text) => text !== '__proto__' && text !== '__metadata__' && !/\p{Surrogate}/u.test(text));

const tensor: fc.Arbitrary<SafetensorsTensor> = fc
  .record({
    dtype: fc.constantFrom(...safetensorsDtypes),
    shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
    seed: fc.integer(),
  })
  // A last axis of 4 elements fills whole bytes in every type.
  .map(({ dtype, shape, seed }) => {
    const whole = dtype.startsWith('F6') || dtype === 'F4' ? [...shape, 4] : shape;
    const data = Uint8Array.from(
      { length: byteLengthOf(dtype, whole) },
      (_, index) => Math.imul(index + 1, seed | 1) >>> 24,
    );
    return { dtype, shape: whole, data };
  });

const contents = fc.record({
  tensors: fc.array(fc.tuple(name, tensor), { maxLength: 8 }).map((entries) => new Map(entries)),
  metadata: fc
    .array(fc.tuple(name, name), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as Record<string, string>),
});

it('gives back what was written, whatever it was', () => {
  fc.assert(
    fc.property(contents, ({ tensors, metadata }) => {
      const bytes = serializeSafetensors({ tensors, metadata });
      const read = parseSafetensors(bytes);
      expect(read.tensors.size).toBe(tensors.size);
      for (const [key, value] of tensors) expect(read.tensors.get(key)).toEqual(value);
      expect({ ...read.metadata }).toEqual(metadata);
      expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
      expect(serializeSafetensors(read)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

it('never reads a byte that no tensor owns, nor one twice, and throws only its own errors, on 5,000 damaged files', () => {
  const original = serializeSafetensors({
    tensors: {
      'layer.weight': { dtype: 'F32', shape: [2, 3], data: new Uint8Array(24).fill(1) },
      'layer.codes': { dtype: 'F6_E3M2', shape: [4, 2], data: new Uint8Array(6).fill(2) },
      step: { dtype: 'I64', shape: [], data: new Uint8Array(8).fill(3) },
    },
    metadata: { format: 'lmd', note: 'a "quoted" value' },
  });
  const interesting = fc
    .constantFrom(...'{}[]",:0123456789eE.-+\\ntu_ \0\xff', ...'"dtype"')
    .map((c) => c.charCodeAt(0));
  const position = fc.nat({ max: original.length - 1 });
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: position, value: fc.oneof(interesting, fc.nat({ max: 255 })) }),
    fc.record({ kind: fc.constant('delete' as const), at: position, count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('insert' as const), at: position, value: interesting }),
    fc.record({
      kind: fc.constant('copy' as const),
      at: position,
      from: position,
      count: fc.integer({ min: 1, max: 40 }),
    }),
    fc.record({ kind: fc.constant('length' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ kind: fc.constant('length' as const), value: fc.bigInt({ min: 0n, max: 400n }) }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean(), (mutations, repairLength) => {
      let bytes = [...original];
      let headerLength = Number(new DataView(original.buffer).getBigUint64(0, true));
      for (const change of mutations) {
        const before = bytes.length;
        if (change.kind === 'set') bytes[change.at] = change.value;
        if (change.kind === 'delete') bytes.splice(change.at, change.count);
        if (change.kind === 'insert') bytes.splice(change.at, 0, change.value);
        if (change.kind === 'copy') bytes.splice(change.at, 0, ...bytes.slice(change.from, change.from + change.count));
        if (change.kind === 'length') bytes = [...littleEndian(change.value), ...bytes.slice(8)];
        headerLength += bytes.length - before;
      }
      // Half the time the length is made right again, so that the damage gets past it and into the header.
      if (repairLength) bytes = [...littleEndian(BigInt(Math.max(0, headerLength))), ...bytes.slice(8)];
      const damaged = Uint8Array.from(bytes);
      try {
        const { tensors } = parseSafetensors(damaged);
        accepted++;
        let owned = 0;
        for (const { dtype, shape, data } of tensors.values()) {
          expect(data.length).toBe(byteLengthOf(dtype, shape));
          owned += data.length;
        }
        expect(owned + 8 + Number(new DataView(damaged.buffer).getBigUint64(0, true))).toBe(damaged.length);
      } catch (error) {
        if (!isSafetensorsError(error)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
  // Damage within values is no business of the format; most other damage is seen.
  expect(accepted).toBeGreaterThan(50);
  expect(accepted).toBeLessThan(2500);
});

it('takes time in proportion to the header, also for a hostile one', () => {
  const header = `{"a${'\\\\'.repeat(500_000)}":${'[1,'.repeat(1)}${'1,'.repeat(1_000_000)}`;
  const encoded = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + encoded.length);
  bytes.set(littleEndian(BigInt(encoded.length)));
  bytes.set(encoded, 8);
  const start = performance.now();
  expect(() => parseSafetensors(bytes)).toThrow();
  expect(performance.now() - start).toBeLessThan(5000);
});

function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

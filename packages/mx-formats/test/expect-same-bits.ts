import { expect } from 'vitest';

type Numbers = Float32Array | Int32Array | Uint32Array | Uint8Array;

/**
 * Two arrays hold the same bits: NaNs by their payload, zeros by their sign. Far quicker than `toEqual` on large
 * arrays.
 */
export function expectSameBits(actual: Numbers, expected: Numbers, note = ''): void {
  expect(actual.length, note).toBe(expected.length);
  const a = bytesOf(actual);
  const b = bytesOf(expected);
  if (Buffer.compare(a, b) === 0) return;
  const wrong = a.findIndex((byte, i) => byte !== b[i]) / actual.BYTES_PER_ELEMENT;
  const at = Math.floor(wrong);
  expect.fail(
    `element ${at} is ${actual[at]}, not ${expected[at]} (${hex(actual, at)}, not ${hex(expected, at)}) ${note}`,
  );
}

function bytesOf(values: Numbers): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function hex(values: Numbers, at: number): string {
  const size = values.BYTES_PER_ELEMENT;
  return Buffer.from(
    bytesOf(values)
      .slice(at * size, (at + 1) * size)
      .reverse(),
  ).toString('hex');
}

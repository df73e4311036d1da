import { describe, expect, it } from 'vitest';
import { type CodeLaw, createOperations, type ErrorCode } from '../index.js';
import { createTestBackend, errorOf } from '../testing/index.js';

const key = { seed: 1, stream: 2, step: 3, sample: 0 };
const laws: readonly CodeLaw[] = [
  { law: 'linear', bits: 16 },
  { law: 'square', bits: 8 },
];

function setup() {
  const backend = createTestBackend();
  const ops = createOperations(backend);
  return { backend, ops, x: ops.fromData([1, -2, 3]), y: ops.fromData([0.1, 0, -5]) };
}

describe('encodeBlocks and decodeBlocks', () => {
  it('give back numbers on the grid, all or those that are wanted, and leave nothing behind', async () => {
    const { backend, ops, x, y } = setup();
    const encoded = ops.encodeBlocks([x, y], laws, [key, { ...key, stream: 3 }]);
    expect(encoded.words.shape).toEqual([3]);
    expect(encoded.scales.map(({ shape }) => shape)).toEqual([[], []]);
    const [first, second] = ops.decodeBlocks(encoded, laws);
    expect([...(await ops.read(first!))]).toEqual([1, -2, 3]);
    const [again, same] = ops.decodeBlocks(encoded, laws, [1, 0]);
    expect(await ops.read(again!)).toEqual(await ops.read(second!));
    expect(await ops.read(same!)).toEqual(await ops.read(first!));
    expect(ops.decodeBlocks(encoded, laws, [])).toEqual([]);
    // What was given, words and scales, four vectors.
    expect(backend.memory().tensors).toBe(2 + 3 + 4);
  });

  it('take tensors without elements', async () => {
    const { ops } = setup();
    const none = ops.zeros([0, 4]);
    const encoded = ops.encodeBlocks([none, none], laws);
    expect(encoded.words.shape).toEqual([0, 4]);
    expect(encoded.scales.map(({ shape }) => shape)).toEqual([[0], [0]]);
    expect(ops.decodeBlocks(encoded, laws).map(({ shape }) => shape)).toEqual([
      [0, 4],
      [0, 4],
    ]);
  });

  it('spoil one block of one vector for a NaN, and no other', async () => {
    const { ops } = setup();
    const size = 300;
    const good = ops.fromData(Array.from({ length: size }, (_, i) => (i % 100) - 50));
    const bad = ops.fromData(Array.from({ length: size }, (_, i) => (i === 140 ? Number.NaN : i)));
    for (const [first, second] of [
      [bad, good],
      [good, bad],
    ] as const) {
      const encoded = ops.encodeBlocks([first, second], laws);
      expect((await ops.read(encoded.words)).every(Number.isInteger)).toBe(true);
      const decoded = ops.decodeBlocks(encoded, laws);
      const spoilt = await ops.read(decoded[first === bad ? 0 : 1]!);
      const kept = await ops.read(decoded[first === bad ? 1 : 0]!);
      expect([...spoilt].map(Number.isNaN)).toEqual(Array.from({ length: size }, (_, i) => i >= 128 && i < 256));
      expect(kept.some(Number.isNaN)).toBe(false);
    }
  });
});

describe('encodeBlocks', () => {
  const { ops, x, y } = setup();
  const other = ops.zeros([4]);
  const integers = ops.fromData([1, 2, 3], [3], 'i32');
  const square = (bits: number): CodeLaw => ({ law: 'square', bits });

  it.each<[string, () => unknown, ErrorCode, RegExp]>([
    ['no law', () => ops.encodeBlocks([], []), 'INVALID_ARGUMENT', /0 codes of 0 bits/],
    ['too many bits', () => ops.encodeBlocks([x, y], [square(16), square(9)]), 'INVALID_ARGUMENT', /25 bits/],
    ['too few bits', () => ops.encodeBlocks([x], [square(2)]), 'INVALID_ARGUMENT', /bits is 2/],
    ['half a bit', () => ops.encodeBlocks([x], [square(7.5)]), 'INVALID_ARGUMENT', /bits is 7.5/],
    [
      'an unknown law',
      () => ops.encodeBlocks([x], [{ law: 'cubic' as never, bits: 8 }]),
      'INVALID_ARGUMENT',
      /law is "cubic"/,
    ],
    [
      'an unknown option',
      () => ops.encodeBlocks([x], [{ ...square(8), levels: 127 } as CodeLaw]),
      'UNKNOWN_OPTION',
      /"levels"/,
    ],
    ['a vector too few', () => ops.encodeBlocks([x], laws), 'INVALID_ARGUMENT', /1 vectors and 2 laws/],
    ['a key too few', () => ops.encodeBlocks([x, y], laws, [key]), 'INVALID_ARGUMENT', /1 keys and 2 laws/],
    [
      'a bad key',
      () => ops.encodeBlocks([x, y], laws, [key, { ...key, seed: -1 }]),
      'INVALID_ARGUMENT',
      /key.seed is -1/,
    ],
    ['two shapes', () => ops.encodeBlocks([x, other], laws), 'SHAPE_MISMATCH', /vectors\[1\] is \[4\]/],
    ['integers', () => ops.encodeBlocks([x, integers], laws), 'DTYPE_MISMATCH', /expected an f32 tensor/],
  ])('refuses %s', (_, run, code, message) => {
    const before = ops.memory().tensors;
    const error = errorOf(run);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('decodeBlocks', () => {
  const { ops, x, y } = setup();
  const { words, scales } = ops.encodeBlocks([x, y], laws);
  const row = ops.zeros([1]);

  it.each<[string, () => unknown, ErrorCode, RegExp]>([
    ['no law', () => ops.decodeBlocks({ words, scales: [] }, []), 'INVALID_ARGUMENT', /0 codes of 0 bits/],
    ['a scale too few', () => ops.decodeBlocks({ words, scales: [row] }, laws), 'INVALID_ARGUMENT', /1 scales/],
    [
      'scales of another shape',
      () => ops.decodeBlocks({ words, scales: [scales[0]!, row] }, laws),
      'SHAPE_MISMATCH',
      /scales\[1\] is \[1\]; words \[3\] need \[\]/,
    ],
    [
      'a vector that is not there',
      () => ops.decodeBlocks({ words, scales }, laws, [2]),
      'INVALID_ARGUMENT',
      /there is no vector 2; there are 2 vectors/,
    ],
  ])('refuses %s', (_, run, code, message) => {
    const error = errorOf(run);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });
});

import { describe, expect, it } from 'vitest';
import { philox4x32, philoxWords } from './philox.js';

function words(counter: [number, number, number, number], key: [number, number]): number[] {
  const out = new Int32Array(4);
  philox4x32(...counter, ...key, out);
  return Array.from(out, (word) => word >>> 0);
}

describe('philoxWords', () => {
  it('gives Random123’s known answers', () => {
    expect(words([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = 0xffffffff;
    expect(words([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(words([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it('gives an element the same word wherever the run starts', () => {
    const key = { seed: 77, stream: 1, step: 2, sample: 3 };
    const all = new Int32Array(40);
    philoxWords(key, 0, 40, all);
    for (const [start, count] of [
      [1, 2],
      [3, 9],
      [4, 4],
      [7, 1],
      [6, 30],
    ] as const) {
      const part = new Int32Array(count);
      philoxWords(key, start, count, part);
      expect(part).toEqual(all.slice(start, start + count));
    }
  });
});

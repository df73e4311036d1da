import { describe, expect, it } from 'vitest';
import { followGrowth, pagesOf } from './growth.js';

/** A memory whose growth this thread has not been told of. */
function behind(seen: number, real: number) {
  const memory = {
    buffer: new ArrayBuffer(65_536 * seen),
    grown: [] as number[],
    grow(pages: number) {
      memory.grown.push(pages);
      memory.buffer = new ArrayBuffer(65_536 * (real + pages));
      return real;
    },
  };
  return memory;
}

describe('followGrowth', () => {
  it('sees what another thread has grown', () => {
    const memory = behind(2, 5);
    followGrowth(memory, 5);
    expect(pagesOf(memory)).toBe(5);
    expect(memory.grown).toEqual([0]);
  });

  it('leaves a memory alone that is up to date, or that has grown since', () => {
    const memory = behind(5, 5);
    followGrowth(memory, 5);
    followGrowth(memory, 3);
    expect(memory.grown).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { Arena, blockSize, type WasmMemory } from './arena.js';

/** A memory that counts pages and holds nothing. */
function fakeMemory(pages: number, most = 1000): WasmMemory & { pages: number } {
  return {
    pages,
    get buffer() {
      return { byteLength: this.pages * 65_536 } as ArrayBuffer;
    },
    grow(more) {
      if (this.pages + more > most) throw new RangeError('no more');
      this.pages += more;
      return this.pages - more;
    },
  };
}

const arena = (limit = 1e9, start = 100, memory = fakeMemory(4)) => new Arena(memory, start, limit);

describe('blockSize', () => {
  it('wastes at most an eighth, in whole cache lines', () => {
    for (const bytes of [0, 1, 64, 65, 512, 513, 600, 1000, 4096, 4097, 99_999, 12_345_678, 3e9]) {
      const size = blockSize(bytes);
      expect(size % 64).toBe(0);
      expect(size).toBeGreaterThanOrEqual(Math.max(bytes, 1));
      expect(size).toBeLessThanOrEqual(bytes * 1.125 + 64);
      expect(blockSize(size)).toBe(size);
    }
  });
});

describe('Arena', () => {
  it('begins where it is told, on a cache line', () => {
    expect(arena().allocate(10)).toBe(128);
  });

  it('gives no byte to two owners, whatever is freed in between, and counts what is held', () => {
    const subject = arena();
    const live = new Map<number, number>();
    let held = 0;
    let state = 12345;
    const random = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let turn = 0; turn < 3000; turn++) {
      if (live.size > 40 || (live.size > 0 && random(2) === 0)) {
        const [start, bytes] = [...live][random(live.size)]!;
        live.delete(start);
        subject.release(start, bytes);
        held -= blockSize(bytes);
      } else {
        const bytes = random(2) === 0 ? random(2000) : random(300_000);
        const start = subject.allocate(bytes);
        for (const [other, size] of live) expect(start + bytes <= other || other + size <= start).toBe(true);
        live.set(start, bytes);
        held += blockSize(bytes);
      }
      expect(subject.held).toBe(held);
    }
  });

  it('serves the same sizes again from what was freed', () => {
    const subject = arena();
    const sizes = [1000, 5000, 1000, 70_000];
    const first = sizes.map((bytes) => subject.allocate(bytes));
    for (const [i, start] of first.entries()) subject.release(start, sizes[i]!);
    const second = sizes.map((bytes) => subject.allocate(bytes));
    expect([...second].sort()).toEqual([...first].sort());
  });

  it('joins free neighbours when nothing else is left, and cuts what is asked for from them', () => {
    const subject = arena(64 * 100, 0);
    const blocks = Array.from({ length: 100 }, () => subject.allocate(64));
    const keeper = blocks[50]!;
    for (const start of blocks) if (start !== keeper) subject.release(start, 64);
    const low = subject.allocate(50 * 64 - 200);
    expect(low).toBe(0);
    expect(subject.allocate(48 * 64)).toBe(keeper + 64);
    expect(() => subject.allocate(4096)).toThrow(/out of memory: 4,096 bytes were asked for/);
  });

  it('grows by less where it cannot grow by much', () => {
    const memory = fakeMemory(1, 10);
    const subject = arena(1e9, 0, memory);
    subject.allocate(8 * 65_536);
    expect(memory.pages).toBe(9);
    expect(() => subject.allocate(2 * 65_536)).toThrow(/out of memory/);
    expect(subject.allocate(65_536)).toBe(8 * 65_536);
  });

  it('is as it was after it has failed', () => {
    const subject = arena(1_000_000, 0);
    const start = subject.allocate(500_000);
    const { held } = subject;
    for (let i = 0; i < 3; i++) expect(() => subject.allocate(600_000)).toThrow(/there is room for 1,000,000/);
    expect(subject.held).toBe(held);
    subject.release(start, 500_000);
    expect(subject.allocate(600_000)).toBe(0);
  });
});

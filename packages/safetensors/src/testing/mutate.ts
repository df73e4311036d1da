/** Unsigned 32-bit words by the generator mulberry32 (T. Ettinger, public domain): the same on every machine. */
export class Random {
  constructor(private state: number) {}

  word(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  of<T>(items: ArrayLike<T>): T {
    return items[this.below(items.length)]!;
  }
}

const interesting = new TextEncoder().encode('{}[]",:0123456789eE.-+\\ntu_ \0');
const fragments = [
  '"dtype"',
  '"shape"',
  '"data_offsets"',
  '"__metadata__"',
  '"__proto__"',
  '"constructor"',
  '"F32"',
  '"F6_E2M3"',
  '[0,0]',
  '[]',
  '{}',
  '{"a":',
  '-1',
  '1e3',
  '18446744073709551616',
  '9007199254740993',
  '\\ud800',
  '\\u0000',
  ',,',
  'null',
  '\ufeff',
].map((text) => new TextEncoder().encode(text));

/** What may stand for an extent, and what may not. */
const extents = ['0', '1', '3', '-1', '1.5', '1e3', 'null', '"2"', '[2]', '9007199254740993'].map((text) =>
  new TextEncoder().encode(text),
);

/** One file damaged in one to four ways, half the time with a length before the header that fits again. */
export function mutate(originals: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = random.of(originals).slice();
  let headerEnd = 8 + headerLength(bytes);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const before = bytes.length;
    // Most damage goes into the header, where it matters.
    const limit = Math.max(1, random.below(4) > 0 ? Math.min(headerEnd, bytes.length) : bytes.length);
    const at = random.below(limit);
    bytes = damage(bytes, at, originals, random);
    headerEnd = Math.max(8, headerEnd + bytes.length - before);
  }
  if (random.below(2) === 0 && bytes.length >= 8) {
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.min(headerEnd, bytes.length) - 8), true);
  }
  return bytes;
}

function damage(bytes: Uint8Array, at: number, originals: readonly Uint8Array[], random: Random): Uint8Array {
  switch (random.below(12)) {
    case 0:
      return replaced(bytes, at, 1, [random.below(256)]);
    case 1:
      return replaced(bytes, at, 1, [random.of(interesting)]);
    case 2:
      return replaced(bytes, at, 1 + random.below(12), []);
    case 3:
      return replaced(bytes, at, 0, [random.of(interesting)]);
    case 4:
      return replaced(bytes, at, 0, random.of(fragments));
    case 5:
      return replaced(bytes, at, 1 + random.below(16), random.of(fragments));
    case 6: {
      const from = random.below(bytes.length || 1);
      return replaced(bytes, at, 0, bytes.slice(from, from + 1 + random.below(60)));
    }
    case 7:
      return bytes.slice(0, at);
    case 8:
      return replaced(bytes, bytes.length, 0, random.of(originals));
    case 9: {
      const length = [0n, 1n, 2n ** 64n - 1n, 2n ** 63n, 100_000_001n, BigInt(random.below(4096))];
      const start = new Uint8Array(8);
      new DataView(start.buffer).setBigUint64(0, random.of(length), true);
      return replaced(bytes, 0, 8, start);
    }
    case 10: {
      // The first extent of a shape: it is seldom hit by chance in a file of many tensors.
      const shapes = [...new TextDecoder('latin1').decode(bytes).matchAll(/"shape":\[(\d+)/g)];
      if (shapes.length === 0) return bytes;
      const { 0: text, 1: extent = '', index } = random.of(shapes);
      return replaced(bytes, index + text.length - extent.length, extent.length, random.of(extents));
    }
    default: {
      // A digit of the header, so that offsets and shapes disagree and all else is right.
      const digits = [...bytes.keys()].filter((index) => bytes[index]! >= 0x30 && bytes[index]! <= 0x39);
      return digits.length === 0 ? bytes : replaced(bytes, random.of(digits), 1, [0x30 + random.below(10)]);
    }
  }
}

function replaced(bytes: Uint8Array, at: number, count: number, by: ArrayLike<number>): Uint8Array {
  const from = Math.min(at, bytes.length);
  const to = Math.min(from + count, bytes.length);
  const result = new Uint8Array(from + by.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(by, from);
  result.set(bytes.subarray(to), from + by.length);
  return result;
}

export function headerLength(bytes: Uint8Array): number {
  if (bytes.length < 8) return 0;
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
}

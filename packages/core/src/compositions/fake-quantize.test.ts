import { describe, expect, it } from 'vitest';
import {
  createOperations,
  type ElementFormat,
  type FakeQuantizeOptions,
  type RandomKey,
  type Rounding,
  type ScaleMode,
  sizeOf,
} from '../index.js';
import { fillRandomUniform } from '../random/fill.js';
import { fillRandomBits } from '../random/philox.js';
import { createTestBackend } from '../testing/index.js';

function float(name: string, exponentBits: number, mantissaBits: number, emax: number, largest: number): ElementFormat {
  const bias = 2 ** (exponentBits - 1) - 1;
  const bits = 1 + exponentBits + mantissaBits;
  return {
    name,
    kind: 'float',
    bits,
    exponentBits,
    mantissaBits,
    bias,
    emax,
    emin: 1 - bias,
    largest,
    hasInfinity: false,
    hasNaN: false,
  };
}

const elements: readonly ElementFormat[] = [
  float('e5m2', 5, 2, 15, 57344),
  float('e4m3', 4, 3, 8, 448),
  float('e3m2', 3, 2, 4, 28),
  float('e2m3', 2, 3, 2, 7.5),
  float('e2m1', 2, 1, 2, 6),
  { ...float('int8', 0, 6, 0, 127 / 64), kind: 'int', bits: 8, bias: 0, emin: 0 },
];
const roundings: readonly Rounding[] = ['nearestEven', 'nearestAway', 'towardZero', 'stochastic'];
const scaleModes: readonly ScaleMode[] = ['floor', 'ceil', 'rceil', 'even'];

/** ⌊log2 x⌋ of a positive f32 value: exact, since float64 holds each power of two. */
function floorLog2(x: number): number {
  let exponent = Math.round(Math.log2(x));
  while (2 ** exponent > x) exponent--;
  while (2 ** (exponent + 1) <= x) exponent++;
  return exponent;
}

/** x / quantum to an integer, as `rounding` says; float64 is exact here. */
function roundToInteger(x: number, rounding: Rounding, uniform: number): number {
  const below = Math.floor(x);
  const beyond = x - below;
  if (rounding === 'towardZero') return below;
  if (rounding === 'stochastic') return below + (uniform < beyond ? 1 : 0);
  if (beyond === 0.5 && rounding === 'nearestEven') return below + (below % 2);
  return below + (beyond >= 0.5 ? 1 : 0);
}

/** The definition, in float64. */
function quantizeBlock(
  values: readonly number[],
  uniforms: readonly number[],
  element: ElementFormat,
  rounding: Rounding,
  mode: ScaleMode,
): number[] {
  const { kind, emin, emax, mantissaBits, largest } = element;
  const maximum = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(maximum)) return values.map(() => Number.NaN);
  let exponent = -127;
  if (maximum > 0) {
    const floor = floorLog2(maximum);
    const roundedUp =
      roundToInteger(maximum / 2 ** (floor - mantissaBits), 'nearestEven', 0) === 2 ** (mantissaBits + 1);
    const up = {
      floor: false,
      ceil: maximum > 2 ** floor,
      rceil: maximum > largest * 2 ** (floor - emax),
      even: roundedUp,
    };
    exponent = Math.max(-127, Math.min(127, floor - emax + (up[mode] ? 1 : 0)));
  }
  return values.map((value, i) => {
    const scaled = Math.abs(value) / 2 ** exponent;
    const binade = kind === 'int' || scaled === 0 ? emin : Math.max(emin, floorLog2(scaled));
    const quantum = 2 ** (binade - mantissaBits);
    const magnitude = Math.min(largest, roundToInteger(scaled / quantum, rounding, uniforms[i]!) * quantum);
    const negative = value < 0 || Object.is(value, -0);
    const result = Math.fround(magnitude * 2 ** exponent);
    return negative && (kind === 'float' || result > 0) ? -result : result;
  });
}

function quantize(
  values: Float32Array,
  shape: readonly number[],
  options: Required<FakeQuantizeOptions>,
): Float32Array {
  const { axis, rounding, scaleMode, format } = options;
  const uniforms = new Float32Array(values.length);
  fillRandomUniform(uniforms, options.key);
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  const result = new Float32Array(values.length);
  for (let line = 0; line < values.length / length; line++) {
    const first = Math.floor(line / inner) * length * inner + (line % inner);
    for (let start = 0; start < length; start += format.blockSize) {
      const count = Math.min(format.blockSize, length - start);
      const at = Array.from({ length: count }, (_, i) => first + (start + i) * inner);
      const block = quantizeBlock(
        at.map((i) => values[i]!),
        at.map((i) => uniforms[i]!),
        format.element,
        rounding,
        scaleMode,
      );
      at.forEach((i, n) => {
        result[i] = block[n]!;
      });
    }
  }
  return result;
}

/** Values of one kind: each stresses another part of the rule. */
const kinds: Record<string, (word: number, second: number) => number> = {
  'ordinary values': (word) => Math.fround(word / 2 ** 31 - 1),
  'any bits': (word) => new Float32Array(Uint32Array.of(word).buffer)[0]!,
  subnormals: (word, second) => (second & 1 ? -1 : 1) * (word & 0x7fffff) * 2 ** -149 * (second & 2 ? 2 ** -12 : 1),
  'the largest values': (word, second) => Math.fround((word / 2 ** 31 - 1) * (second & 1 ? 2 ** 127.99999 : 2 ** 120)),
  'ties and codes': (word, second) => ((word % 257) - 128) / 2 ** (second % 8),
  'wide blocks': (word, second) => Math.fround((word / 2 ** 31 - 1) * 2 ** ((second % 250) - 125)),
  'zeros of both signs': (word, second) => (second % 9 === 0 ? word * 2 ** -32 : word & 1 ? 0 : -0),
};

function draw(kind: (word: number, second: number) => number, size: number, stream: number): Float32Array {
  const words = new Uint32Array(2 * size);
  fillRandomBits(words, { seed: 99, stream, step: 0, sample: 0 });
  return Float32Array.from({ length: size }, (_, i) => kind(words[2 * i]!, words[2 * i + 1]!));
}

const shapes = [
  { shape: [3, 70], axis: 1 },
  { shape: [2, 37, 3], axis: 1 },
  { shape: [5, 4], axis: 0 },
];

describe.each(['f32', 'f64'] as const)('on a backend that stores %s', (storage) => {
  const backend = createTestBackend({ storage });
  const ops = createOperations(backend);

  describe.each(elements)('fakeQuantize to $name', (element) => {
    const format = { name: `mx_${element.name}`, element, blockSize: 32, scale: 'e8m0' };

    it.each(roundings.flatMap((rounding) => scaleModes.map((scaleMode) => ({ rounding, scaleMode }))))(
      'is right to the bit with $rounding and $scaleMode',
      async ({ rounding, scaleMode }) => {
        for (const [stream, [kind, make]] of Object.entries(kinds).entries()) {
          const { shape, axis } = shapes[stream % shapes.length]!;
          const values = draw(make, sizeOf(shape), stream);
          const key: RandomKey = { seed: 5, stream, step: 1, sample: 0 };
          const want = quantize(values, shape, { format, axis, rounding, scaleMode, key });
          const input = ops.fromData(values, shape);
          const output = ops.fakeQuantize(input, { format, axis: axis - shape.length, rounding, scaleMode, key });
          expect(backend.memory().tensors).toBe(2);
          const got = await ops.read(output);
          const wrong = want.findIndex((value, i) => !Object.is(value, got[i]));
          expect(wrong, `${kind}: ${values[wrong]} became ${got[wrong]}, expected ${want[wrong]}`).toBe(-1);
          ops.dispose([input, output]);
        }
      },
    );
  });

  it('roundToBfloat16 keeps the upper 16 bits, ties to even', async () => {
    for (const [stream, make] of Object.values(kinds).entries()) {
      const values = draw(make, 300, stream);
      const words = new Uint32Array(values.buffer);
      // Ties and their neighbours, in every binade.
      for (let i = 0; i < 90; i++) words[i] = (words[i]! & 0xffff0000) | (0x7fff + (i % 3));
      const want = words.map((word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000);
      const expected = new Float32Array(want.buffer).map((value, i) => (Number.isNaN(values[i]!) ? Number.NaN : value));
      const input = ops.fromData(values);
      const output = ops.roundToBfloat16(input);
      const got = await ops.read(output);
      const wrong = expected.findIndex((value, i) => !Object.is(value, got[i]));
      expect(wrong, `${values[wrong]} became ${got[wrong]}, expected ${expected[wrong]}`).toBe(-1);
      ops.dispose([input, output]);
    }
  });
});

describe('fakeQuantize', () => {
  const ops = createOperations(createTestBackend());
  const format = { name: 'mxfp4', element: elements[4]!, blockSize: 2, scale: 'e8m0' };
  const run = async (values: number[], options: Partial<FakeQuantizeOptions> = {}) => [
    ...(await ops.read(ops.fakeQuantize(ops.fromData(values), { format, axis: 0, ...options }))),
  ];

  it('spreads a NaN or an infinity over its block and no further', async () => {
    expect(await run([Number.NaN, 1, 1, 6, -Infinity, 0])).toEqual([
      Number.NaN,
      Number.NaN,
      1,
      6,
      Number.NaN,
      Number.NaN,
    ]);
  });

  it('rounds the smallest value away from zero when its uniform is 0, however small the fraction', async () => {
    const inner = createTestBackend();
    const always = createOperations({ ...inner, randomUniform: (shape) => inner.full(shape, 0, 'f32') });
    const key = { seed: 0, stream: 0, step: 0, sample: 0 };
    const x = always.fromData([2 ** -149, 2 ** 127]);
    const y = always.fakeQuantize(x, { format, axis: 0, rounding: 'stochastic', key });
    expect([...(await always.read(y))]).toEqual([2 ** 124, 2 ** 127]);
  });

  it.each<[string, string, Partial<FakeQuantizeOptions>]>([
    ['INVALID_ARGUMENT', 'stochastic rounding without a key', { rounding: 'stochastic' }],
    ['INVALID_ARGUMENT', 'rounding is "nearest". Use "nearestEven"', { rounding: 'nearest' as never }],
    ['INVALID_ARGUMENT', 'scaleMode is "round"', { scaleMode: 'round' as never }],
    ['INVALID_ARGUMENT', 'axis 1 of a tensor of rank 1', { axis: 1 }],
    ['INVALID_ARGUMENT', 'format is undefined', { format: undefined as never }],
    ['UNKNOWN_OPTION', 'fakeQuantize has no option "mode"', { mode: 1 } as never],
    ['UNSUPPORTED', 'has scales of kind "e4m3"', { format: { ...format, scale: 'e4m3' } }],
    [
      'UNSUPPORTED',
      'has elements without mantissa bits',
      { format: { ...format, element: { ...elements[4]!, mantissaBits: 0 } } },
    ],
  ])('refuses with %s: %s', async (code, message, options) => {
    await expect(run([1, 2], options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

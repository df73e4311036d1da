/**
 * An oracle that shares nothing with the library: it lists the values a format has and searches them in float64. Slow
 * and plain.
 */
export interface NaiveElement {
  readonly bits: number;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  readonly special: 'ieee' | 'oneNaN' | 'none';
}

const naiveElements: Record<string, NaiveElement> = {
  e5m2: { bits: 8, exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' },
  e4m3: { bits: 8, exponentBits: 4, mantissaBits: 3, bias: 7, special: 'oneNaN' },
  e3m2: { bits: 6, exponentBits: 3, mantissaBits: 2, bias: 3, special: 'none' },
  e2m3: { bits: 6, exponentBits: 2, mantissaBits: 3, bias: 1, special: 'none' },
  e2m1: { bits: 4, exponentBits: 2, mantissaBits: 1, bias: 1, special: 'none' },
};

/** The finite magnitudes in order: index = code without sign. For INT8, 0 … 127/64. */
export function magnitudesOf(name: string): number[] {
  let found = listed.get(name);
  if (found === undefined) {
    found = list(name);
    listed.set(name, found);
  }
  return found;
}

const listed = new Map<string, number[]>();

function list(name: string): number[] {
  if (name === 'int8') return Array.from({ length: 128 }, (_, i) => i / 64);
  const { bits, mantissaBits, bias, special } = naiveElements[name]!;
  const all: number[] = [];
  for (let code = 0; code < 2 ** (bits - 1); code++) {
    const exponent = code >> mantissaBits;
    const mantissa = code % 2 ** mantissaBits;
    all.push(
      exponent === 0
        ? mantissa * 2 ** (1 - bias - mantissaBits)
        : (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias),
    );
  }
  if (special === 'ieee') return all.slice(0, -(2 ** mantissaBits));
  return special === 'oneNaN' ? all.slice(0, -1) : all;
}

/** Rounds a magnitude to a code by search; `uniform` is the number in [0, 1) of stochastic rounding. */
export function naiveCode(magnitudes: number[], magnitude: number, rounding: string, uniform = 0): number {
  const last = magnitudes.length - 1;
  if (magnitude >= magnitudes[last]!) return last;
  let low = 0;
  for (let high = last; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (magnitudes[middle]! <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - magnitudes[low]!;
  const above = magnitudes[low + 1]! - magnitude;
  if (below === 0 || rounding === 'towardZero') return low;
  if (rounding === 'stochastic') return uniform < below / (below + above) ? low + 1 : low;
  if (below !== above) return below < above ? low : low + 1;
  return rounding === 'nearestAway' || low % 2 === 1 ? low + 1 : low;
}

/** ⌊log2 A⌋: a first guess, put right by comparison with powers of two. */
function floorLog2(a: number): number {
  let e = Math.round(Math.log2(a));
  while (2 ** e > a) e--;
  while (2 ** (e + 1) <= a) e++;
  return e;
}

/** The scale byte of a block, from the definitions of the modes in real numbers. */
function naiveScale(name: string, values: number[], mode: string): number {
  if (values.some((v) => !Number.isFinite(v))) return 255;
  const a = Math.max(...values.map(Math.abs), 0);
  if (a === 0) return 0;
  const magnitudes = magnitudesOf(name);
  const largest = magnitudes.at(-1)!;
  const emax = floorLog2(largest);
  let exponent: number;
  if (mode === 'floor') exponent = floorLog2(a) - emax;
  else if (mode === 'ceil') exponent = (2 ** floorLog2(a) === a ? floorLog2(a) : floorLog2(a) + 1) - emax;
  else if (mode === 'rceil') {
    exponent = floorLog2(a) - emax - 1;
    while (a > largest * 2 ** exponent) exponent++;
  } else {
    const bits = name === 'int8' ? 6 : naiveElements[name]!.mantissaBits;
    const steps = (a / 2 ** floorLog2(a)) * 2 ** bits;
    const down = Math.floor(steps);
    const rounded = steps - down > 0.5 || (steps - down === 0.5 && down % 2 === 1) ? down + 1 : down;
    exponent = floorLog2(a) + (rounded === 2 ** (bits + 1) ? 1 : 0) - emax;
  }
  return Math.min(Math.max(exponent, -127), 127) + 127;
}

/** One block, quantized and back, as float32 bits. */
export function naiveBlock(
  name: string,
  values: number[],
  mode = 'floor',
  rounding = 'nearestEven',
  uniforms: number[] = [],
): Int32Array {
  const byte = naiveScale(name, values, mode);
  if (byte === 255) return new Int32Array(values.length).fill(0x7fc00000);
  const scale = 2 ** (byte - 127);
  const magnitudes = magnitudesOf(name);
  const out = values.map((value, i) => {
    const magnitude = magnitudes[naiveCode(magnitudes, Math.abs(value) / scale, rounding, uniforms[i])]! * scale;
    const negative = value < 0 || Object.is(value, -0);
    return negative && !(name === 'int8' && magnitude === 0) ? -magnitude : magnitude;
  });
  return new Int32Array(Float32Array.from(out).buffer);
}

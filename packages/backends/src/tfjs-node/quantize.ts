import type { ElementFormat, FusedKernels, ScaleMode } from '@lmd/core';
import { sizeOf } from '@lmd/core';
import { fakeQuantize } from '@lmd/mx-formats';
import { checkFormatRecord } from '../checked-format.js';
import { type Context, cast, type Run, typed } from './context.js';
import { boolAttribute, type NativeType, typeAttribute, types } from './native.js';
import { bitcast, randomWords } from './random.js';

type FakeQuantize = FusedKernels['fakeQuantize'];
type Options = Parameters<FakeQuantize>[1];

/** Formats by `@lmd/mx-formats` in this thread, on a copy. */
export function hostFakeQuantize({ native, store, upload }: Context): FakeQuantize {
  return (x, options) => {
    const values = native.read(store.value(x).id) as Float32Array;
    return upload(fakeQuantize(values, { ...options, shape: x.shape }, values), x.shape, 'f32');
  };
}

/** Whether every scale is a power of two, for which the integer arithmetic below is written. */
const hasBinaryScales = ({ format: { scale, element } }: Options) =>
  scale === 'e8m0' && (element.kind === 'int' || element.mantissaBits > 0);

/**
 * Formats by integer operations of the engine on the bits of each value, so that they are exact also where the engine's
 * float arithmetic flushes subnormals, as TensorFlow's does. A format whose scales are no powers of two goes by
 * `byHost`.
 *
 * A magnitude's bits are a = (E, fraction); with p = max(E, 1) it is the integer `sig` times 2^(p − 150). Rounding to
 * the format's grid drops T − 1 low bits of `sig`, and the result's bits are those of the rounded integer plus (p −
 * 1)·2^23, whatever the carry. All is in int64, which a GPU computes with where it lies; int32 TensorFlow brings to the
 * host.
 */
export function deviceFakeQuantize(context: Context, byHost: FakeQuantize): FakeQuantize {
  const { native, compute } = context;
  return (x, options) => {
    if (!hasBinaryScales(options)) return byHost(x, options);
    checkFormatRecord(options.format);
    return compute(x.shape, 'f32', (run, temporary) => {
      const plan = planBlocks(x.shape, options);
      const raw = intoBlocks(context, run, context.store.at(x, plan.lines), types.float32, plan);
      const bits = cast(run, bitcast(run, raw, types.float32, types.int32).id, types.int32, types.int64).id;
      const words = () => {
        const { key } = options;
        const flat = randomWords(context, run, temporary, key!, sizeOf(x.shape)).id;
        const lines = reshape(context, run, flat, types.int64, plan.lines);
        return intoBlocks(context, run, lines, types.int64, plan);
      };
      const rounded = roundBits(integersOf(context, run), bits, options, words);
      const values = bitcast(run, cast(run, rounded.bits, types.int64, types.uint32).id, types.uint32, types.float32);
      const missing = native.scalar(Number.NaN, types.float32);
      const blocks = run('SelectV2', typed(types.float32), [rounded.finite, values.id, missing]);
      if (plan.padding === 0) return blocks;
      const lines = reshape(context, run, blocks.id, types.float32, plan.padded);
      const attributes = [typeAttribute('T', types.float32), typeAttribute('Index', types.int32)];
      return run('Slice', attributes, [lines, native.indices([0, 0, 0]), native.indices(plan.lines)]);
    });
  };
}

interface Plan {
  /** [outer, length, inner] */
  readonly lines: readonly number[];
  /** The same with whole blocks. */
  readonly padded: readonly number[];
  /** [outer, blocks, block size, inner] */
  readonly blocks: readonly number[];
  readonly padding: number;
}

function planBlocks(shape: readonly number[], { axis, format }: Options): Plan {
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  // A single short block needs no filling, however long a block may be.
  const blockSize = Math.min(format.blockSize, length);
  const count = Math.ceil(length / blockSize);
  return {
    lines: [outer, length, inner],
    padded: [outer, count * blockSize, inner],
    blocks: [outer, count, blockSize, inner],
    padding: count * blockSize - length,
  };
}

function reshape({ native }: Context, run: Run, id: number, type: NativeType, shape: readonly number[]): number {
  const attributes = [typeAttribute('T', type), typeAttribute('Tshape', types.int32)];
  return run('Reshape', attributes, [id, native.indices(shape)]).id;
}

function intoBlocks(context: Context, run: Run, id: number, type: NativeType, plan: Plan): number {
  if (plan.padding === 0) return reshape(context, run, id, type, plan.blocks);
  const attributes = [typeAttribute('T', type), typeAttribute('Tpaddings', types.int32)];
  const margins = context.native.table([
    [0, 0],
    [0, plan.padding],
    [0, 0],
  ]);
  return reshape(context, run, run('Pad', attributes, [id, margins]).id, type, plan.blocks);
}

type Integers = ReturnType<typeof integersOf>;

/** Arithmetic of int64, broadcast; a number stands for a scalar that is made once. */
function integersOf({ native }: Context, run: Run) {
  const wide = typed(types.int64);
  const constant = (value: number) => native.scalar(value, types.int64);
  const binary = (name: string) => (a: number, b: number) => run(name, wide, [a, b]).id;
  return {
    constant,
    add: binary('AddV2'),
    subtract: binary('Sub'),
    and: binary('BitwiseAnd'),
    or: binary('BitwiseOr'),
    left: binary('LeftShift'),
    right: binary('RightShift'),
    maximum: binary('Maximum'),
    minimum: binary('Minimum'),
    /** Truth values of TensorFlow's. */
    less: binary('Less'),
    greaterEqual: binary('GreaterEqual'),
    equal: binary('Equal'),
    toInteger: (truth: number) => cast(run, truth, types.bool, types.int64).id,
    select: (truth: number, a: number, b: number) => run('SelectV2', wide, [truth, a, b]).id,
    /** The largest of each block, which stays an axis. */
    blockMaximum: (a: number) =>
      run(
        'Max',
        [...wide, typeAttribute('Tidx', types.int32), boolAttribute('keep_dims', true)],
        [a, native.indices([2])],
      ).id,
    /** The exponent field that an integer below 2^24 has as a float32: 127 + ⌊log2 a⌋, or 0 for 0. */
    exponentOf(a: number) {
      const asFloat = cast(run, a, types.int64, types.float32).id;
      const bits = cast(run, bitcast(run, asFloat, types.float32, types.int32).id, types.int32, types.int64).id;
      return run('RightShift', wide, [bits, constant(23)]).id;
    },
  };
}

const one = 2 ** 23;
const signBit = 2 ** 31;
const infinity = 0x7f80_0000;

/** The scale byte of each block whose largest magnitude has the bits `largest`, before it is limited to [0, 254]. */
function scaleByte(i: Integers, largest: number, element: ElementFormat, mode: ScaleMode): number {
  const { constant } = i;
  const exponent = i.right(largest, constant(23));
  const floored = i.subtract(exponent, constant(element.emax));
  if (mode === 'floor') return floored;
  // Subnormals from 2^-127 on have the exponent field 0 as if they were normal; those below get the smallest scale
  // anyway.
  const normalized = i.select(i.less(largest, constant(one)), i.left(largest, constant(1)), largest);
  const roundsUp = i.greaterEqual(i.and(normalized, constant(one - 1)), constant(firstFractionUp(element, mode)));
  const up = i.select(i.less(largest, constant(one / 2)), constant(0), i.toInteger(roundsUp));
  return i.add(floored, up);
}

/** The smallest 23-bit fraction of a block maximum for which the mode takes the next power of two. */
function firstFractionUp(
  { kind, emax, mantissaBits, largest }: ElementFormat,
  mode: 'ceil' | 'rceil' | 'even',
): number {
  if (mode === 'ceil') return 1;
  if (mode === 'rceil') return (largest * 2 ** -emax - 1) * one + 1;
  const significant = kind === 'int' ? mantissaBits + emax : mantissaBits;
  return one - one * 2 ** -(significant + 1);
}

/**
 * Bits of the quantized values, and of each block whether it is finite. `raw` are bits, [outer, blocks, size, inner].
 */
function roundBits(
  i: Integers,
  raw: number,
  { format: { element }, rounding, scaleMode }: Options,
  words: () => number,
): { bits: number; finite: number } {
  const { constant } = i;
  const m = element.mantissaBits;
  const emin = element.kind === 'int' ? 0 : element.emin;
  const magnitude = i.and(raw, constant(signBit - 1));
  const largest = i.blockMaximum(magnitude);
  const scale = i.minimum(i.maximum(scaleByte(i, largest, element, scaleMode), constant(0)), constant(254));

  const p = i.maximum(i.right(magnitude, constant(23)), constant(1));
  const base = i.left(i.subtract(p, constant(1)), constant(23));
  const sig = i.subtract(magnitude, base);
  // One bit more than sig has, so that there is always one to drop.
  const doubled = i.left(sig, constant(1));
  const byOwnBinade = i.subtract(i.exponentOf(sig), constant(126 + m));
  const bySubnormals = i.subtract(i.add(scale, constant(emin + 24 - m)), p);
  // Beyond these nothing is left to round, and shifts stay within 64 bits.
  const most = rounding === 'stochastic' ? 52 : 27;
  const dropped = i.minimum(i.maximum(i.maximum(byOwnBinade, bySubnormals), constant(1)), constant(most));
  const steps = roundSteps(i, doubled, dropped, rounding, words);
  const moved = i.add(i.right(i.left(steps, dropped), constant(1)), base);
  const vanished = i.less(steps, constant(1));
  let result = i.select(vanished, constant(0), moved);
  if (rounding === 'stochastic') {
    // What truncates to nothing may still be rounded up, to the smallest subnormal of the block.
    const below = i.less(doubled, i.left(constant(1), dropped));
    result = i.select(below, i.select(vanished, constant(0), smallest(i, scale, emin - m)), result);
  }
  result = i.minimum(result, limit(i, scale, element));
  const sign = i.and(raw, constant(signBit));
  // Two's complement has no −0.
  const kept = element.kind === 'int' ? i.select(i.less(result, constant(1)), constant(0), sign) : sign;
  return { bits: i.or(result, kept), finite: i.less(largest, constant(infinity)) };
}

/** `x` / 2^dropped to an integer. */
function roundSteps(
  i: Integers,
  x: number,
  dropped: number,
  rounding: Options['rounding'],
  words: () => number,
): number {
  const { constant } = i;
  const truncated = i.right(x, dropped);
  if (rounding === 'towardZero') return truncated;
  if (rounding === 'stochastic') {
    const cutOff = i.subtract(x, i.left(truncated, dropped));
    // Up where word·2^-24 < cutOff / 2^dropped, in integers: word < ⌈cutOff·2^24 / 2^dropped⌉.
    const rest = i.subtract(i.left(constant(1), dropped), constant(1));
    const threshold = i.right(i.add(i.left(cutOff, constant(24)), rest), dropped);
    return i.add(truncated, i.toInteger(i.less(i.right(words(), constant(8)), threshold)));
  }
  const half = i.left(constant(1), i.subtract(dropped, constant(1)));
  if (rounding === 'nearestAway') return i.right(i.add(x, half), dropped);
  const odd = i.and(truncated, constant(1));
  return i.right(i.add(i.add(x, i.subtract(half, constant(1))), odd), dropped);
}

/** Bits of 2^(exponent + scale − 127), which may be subnormal. */
function smallest(i: Integers, scale: number, exponent: number): number {
  const { constant } = i;
  const field = i.add(scale, constant(exponent));
  const subnormal = i.left(constant(1), i.maximum(i.add(field, constant(22)), constant(0)));
  return i.select(i.less(field, constant(1)), subnormal, i.left(i.maximum(field, constant(0)), constant(23)));
}

/** Bits of the format's largest value times the scale: beyond those of infinity where there is no such float32. */
function limit(i: Integers, scale: number, { emax, largest }: ElementFormat): number {
  const { constant } = i;
  const fraction = (largest * 2 ** -emax - 1) * one;
  const field = i.add(scale, constant(emax));
  const normal = i.add(i.left(field, constant(23)), constant(fraction));
  return emax > 0 ? normal : i.select(i.less(field, constant(1)), constant((one + fraction) / 2), normal);
}

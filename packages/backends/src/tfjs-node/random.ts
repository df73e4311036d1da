import {
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  type Primitives,
  type RandomKey,
  sizeOf,
} from '@lmd/core';
import { type Context, cast, type Run, type Temporary, typed } from './context.js';
import { intAttribute, type NativeType, type NativeValue, typeAttribute, types } from './native.js';

type RandomName = 'randomBits' | 'randomUniform' | 'randomNormal';

/** Random numbers made by this thread and copied to the engine. */
export function hostRandom({ upload }: Context): Pick<Primitives, RandomName> {
  return {
    randomBits(shape, key) {
      const bits = new Int32Array(sizeOf(shape));
      fillRandomBits(bits, key);
      return upload(bits, shape, 'i32');
    },
    randomUniform(shape, key) {
      const values = new Float32Array(sizeOf(shape));
      fillRandomUniform(values, key);
      return upload(values, shape, 'f32');
    },
    randomNormal(shape, key) {
      const values = new Float32Array(sizeOf(shape));
      fillRandomNormal(values, key);
      return upload(values, shape, 'f32');
    },
  };
}

/**
 * Random numbers made by integer operations of the engine, so that nothing is uploaded: Philox4x32-10 as in core's
 * `philox.ts`. TensorFlow's own stateless generators count blocks in another word of the counter, so their bits are
 * others.
 *
 * Words are int64, which every device of TensorFlow computes with where they lie; int32 it computes with on the host. A
 * product of two words may wrap to a negative number, whose upper half is right after the mask.
 */
export function deviceRandom(context: Context): Pick<Primitives, RandomName> {
  const { native, compute } = context;
  const size = (shape: readonly number[]) => sizeOf(shape);

  return {
    randomBits: (shape, key) =>
      compute(shape, 'i32', (run, temporary) => {
        const words = randomWords(context, run, temporary, key, size(shape));
        // To uint32 and by its bits: an integer that does not fit has no defined int32.
        return bitcast(run, cast(run, words.id, types.int64, types.uint32).id, types.uint32, types.int32);
      }),
    randomUniform: (shape, key) =>
      compute(shape, 'f32', (run, temporary) => {
        const words = randomWords(context, run, temporary, key, size(shape));
        const upper = run('RightShift', typed(types.int64), [words.id, native.scalar(8, types.int64)]);
        const whole = cast(run, upper.id, types.int64, types.float32);
        return run('Mul', typed(types.float32), [whole.id, native.scalar(2 ** -24, types.float32)]);
      }),
    randomNormal: (shape, key) =>
      compute(shape, 'f32', (run, temporary) => {
        const count = size(shape);
        const pairs = Math.ceil(count / 2);
        const words = randomWords(context, run, temporary, key, 2 * pairs);
        return boxMuller(context, run, words.id, pairs, count);
      }),
  };
}

/** The same storage read as another type of the same width. */
export function bitcast(run: Run, id: number, from: NativeType, to: NativeType): NativeValue {
  return run('Bitcast', [typeAttribute('T', from), typeAttribute('type', to)], [id]);
}

const multipliers = [0xd251_1f53, 0xcd9e_8d57] as const;
const weyl = [0x9e37_79b9, 0xbb67_ae85] as const;
const rounds = 10;

/** The first `count` random words of a key, as int64 in [0, 2^32), flat. */
export function randomWords(
  { native }: Context,
  run: Run,
  temporary: Temporary,
  key: RandomKey,
  count: number,
): NativeValue {
  const wide = typed(types.int64);
  const constant = (value: number) => native.scalar(value, types.int64);
  const own = (value: number) => temporary(native.wide(value));
  const operate = (name: string, a: number, b: number) => run(name, wide, [a, b]).id;
  const low = (x: number) => operate('BitwiseAnd', x, constant(0xffff_ffff));
  const high = (x: number) => low(operate('RightShift', x, constant(32)));

  const blocks = Math.ceil(count / 4);
  const range = [typeAttribute('Tidx', types.int64)];
  let c0 = own(key.stream);
  let c1 = own(key.step);
  let c2 = own(key.sample);
  let c3 = run('Range', range, [constant(0), own(blocks), constant(1)]).id;
  let k0 = key.seed % 2 ** 32;
  let k1 = Math.floor(key.seed / 2 ** 32);
  for (let round = 0; round < rounds; round++) {
    const product0 = operate('Mul', c0, constant(multipliers[0]));
    const product1 = operate('Mul', c2, constant(multipliers[1]));
    c0 = operate('BitwiseXor', high(product1), operate('BitwiseXor', c1, own(k0)));
    c2 = operate('BitwiseXor', high(product0), operate('BitwiseXor', c3, own(k1)));
    c1 = low(product1);
    c3 = low(product0);
    k0 = (k0 + weyl[0]) % 2 ** 32;
    k1 = (k1 + weyl[1]) % 2 ** 32;
  }
  const packed = run('Pack', [...wide, intAttribute('N', 4), intAttribute('axis', 1)], [c0, c1, c2, c3]);
  return firstOf(native, run, packed.id, types.int64, 4 * blocks, count);
}

/** The first `count` elements, flat. */
function firstOf(
  native: Context['native'],
  run: Run,
  id: number,
  type: NativeType,
  size: number,
  count: number,
): NativeValue {
  const reshape = [typeAttribute('T', type), typeAttribute('Tshape', types.int32)];
  const flat = run('Reshape', reshape, [id, native.indices([size])]);
  if (count === size) return flat;
  const slice = [typeAttribute('T', type), typeAttribute('Index', types.int32)];
  return run('Slice', slice, [flat.id, native.indices([0]), native.indices([count])]);
}

/** See `normalsFromBits` in core. In float64, so that the result is rounded once. */
function boxMuller({ native }: Context, run: Run, words: number, pairs: number, count: number): NativeValue {
  const double = typed(types.float64);
  const integers = typed(types.int64);
  const number = (value: number) => cast(run, native.scalar(value, types.float32), types.float32, types.float64).id;
  const upper = run('RightShift', integers, [words, native.scalar(8, types.int64)]);
  const reshape = [typeAttribute('T', types.int64), typeAttribute('Tshape', types.int32)];
  const table = run('Reshape', reshape, [upper.id, native.indices([pairs, 2])]);
  const column = (index: number) => {
    const slice = [typeAttribute('T', types.int64), typeAttribute('Index', types.int32)];
    return run('Slice', slice, [table.id, native.indices([0, index]), native.indices([pairs, 1])]).id;
  };
  const from = (id: number) => cast(run, id, types.int64, types.float64).id;
  const first = from(run('AddV2', integers, [column(0), native.scalar(1, types.int64)]).id);
  const uniform = run('Mul', double, [first, number(2 ** -24)]);
  const square = run('Mul', double, [run('Log', double, [uniform.id]).id, number(-2)]);
  const radius = run('Sqrt', double, [square.id]).id;
  // 2π as the sum of two numbers that float32 holds exactly enough: its error is below float64's.
  const turn = run('AddV2', double, [number(Math.fround(2 * Math.PI)), number(2 * Math.PI - Math.fround(2 * Math.PI))]);
  const fraction = run('Mul', double, [from(column(1)), number(2 ** -24)]);
  const angle = run('Mul', double, [fraction.id, turn.id]).id;
  const sides = ['Cos', 'Sin'].map((name) => run('Mul', double, [run(name, double, [angle]).id, radius]).id);
  const packed = run(
    'ConcatV2',
    [...double, intAttribute('N', 2), typeAttribute('Tidx', types.int32)],
    [...sides, native.scalar(1, types.int32)],
  );
  const single = cast(run, packed.id, types.float64, types.float32);
  return firstOf(native, run, single.id, types.float32, 2 * pairs, count);
}

import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Backend,
  bytesPerElement,
  type Compositions,
  createOperations,
  type DType,
  type FloatTensor,
  type FusedKernels,
  fusedKernelNames,
  type IntegerTensor,
  kernelFamilies,
  type PrimitiveName,
  type Primitives,
  primitiveDTypes,
  primitiveNames,
  type Tensor,
} from './index.js';
import { createTestBackend } from './testing/index.js';

/** The tensor of an argument, or of a result that has one dtype, as `primitiveDTypes` says. */
type Rules = typeof primitiveDTypes;
type Taken<Name extends PrimitiveName, Argument extends Exclude<keyof Rules[Name], 'result'>> = Tensor<
  Rules[Name][Argument] extends readonly (infer Type extends DType)[] ? Type : never
>;
type Given<Name extends PrimitiveName> = Tensor<Rules[Name]['result'] extends DType ? Rules[Name]['result'] : never>;

// The compiler runs these tests (`npm run typecheck`); at run time they compare nothing.
describe('the types of the contract', () => {
  it('name every primitive and every kernel', () => {
    expectTypeOf<(typeof primitiveNames)[number]>().toEqualTypeOf<keyof Primitives>();
    expectTypeOf<(typeof fusedKernelNames)[number]>().toEqualTypeOf<keyof FusedKernels>();
    expectTypeOf<keyof Compositions>().toEqualTypeOf<keyof FusedKernels>();
  });

  it('agree with the table of dtypes', () => {
    expectTypeOf<Primitives['exp']>().toEqualTypeOf<(x: Taken<'exp', 'x'>) => Given<'exp'>>();
    expectTypeOf<Primitives['add']>().toEqualTypeOf<(a: Taken<'add', 'a'>, b: Taken<'add', 'b'>) => Given<'add'>>();
    expectTypeOf<Parameters<Primitives['less']>[0]>().toEqualTypeOf<Taken<'less', 'a' | 'b'>>();
    expectTypeOf<ReturnType<Primitives['less']>>().toEqualTypeOf<Given<'less'>>();
    expectTypeOf<Parameters<Primitives['cast']>[0]>().toEqualTypeOf<Taken<'cast', 'x'>>();
    expectTypeOf<ReturnType<Primitives['cast']>>().toEqualTypeOf<Taken<'cast', 'dtype'>>();
    expectTypeOf<Parameters<Primitives['where']>>().toEqualTypeOf<
      [condition: Taken<'where', 'condition'>, a: Taken<'where', 'a'>, b: Taken<'where', 'b'>]
    >();
    expectTypeOf<Parameters<Primitives['sum']>[0]>().toEqualTypeOf<Taken<'sum', 'x'>>();
    expectTypeOf<Parameters<Primitives['max']>[0]>().toEqualTypeOf<Taken<'max', 'x'>>();
    expectTypeOf<Parameters<Primitives['argMax']>[0]>().toEqualTypeOf<Taken<'argMax', 'x'>>();
    expectTypeOf<ReturnType<Primitives['sum']>>().toEqualTypeOf<Given<'sum'>>();
    expectTypeOf<ReturnType<Primitives['max']>>().toEqualTypeOf<Given<'max'>>();
    expectTypeOf<ReturnType<Primitives['argMax']>>().toEqualTypeOf<Given<'argMax'>>();
    expectTypeOf<Parameters<Primitives['matmul']>[0]>().toEqualTypeOf<Taken<'matmul', 'a'>>();
    expectTypeOf<Parameters<Primitives['matmul']>[1]>().toEqualTypeOf<Taken<'matmul', 'b'>>();
    expectTypeOf<ReturnType<Primitives['matmul']>>().toEqualTypeOf<Given<'matmul'>>();
    expectTypeOf<Parameters<Primitives['reshape']>[0]>().toEqualTypeOf<Taken<'reshape', 'x'>>();
    expectTypeOf<Parameters<Primitives['transpose']>[0]>().toEqualTypeOf<Taken<'transpose', 'x'>>();
    expectTypeOf<Parameters<Primitives['slice']>[0]>().toEqualTypeOf<Taken<'slice', 'x'>>();
    expectTypeOf<Parameters<Primitives['broadcastTo']>[0]>().toEqualTypeOf<Taken<'broadcastTo', 'x'>>();
    expectTypeOf<Parameters<Primitives['pad']>[0]>().toEqualTypeOf<Taken<'pad', 'x'>>();
    expectTypeOf<Parameters<Primitives['concatenate']>[0]>().toEqualTypeOf<readonly Taken<'concatenate', 'xs'>[]>();
    expectTypeOf<Primitives['gather']>().toEqualTypeOf<
      (x: Taken<'gather', 'x'>, indices: Taken<'gather', 'indices'>) => Given<'gather'>
    >();
    expectTypeOf<Primitives['scatterAdd']>().toEqualTypeOf<
      (
        indices: Taken<'scatterAdd', 'indices'>,
        updates: Taken<'scatterAdd', 'updates'>,
        rows: number,
      ) => Given<'scatterAdd'>
    >();
    expectTypeOf<ReturnType<Primitives['randomBits']>>().toEqualTypeOf<Given<'randomBits'>>();
    expectTypeOf<ReturnType<Primitives['randomUniform']>>().toEqualTypeOf<Given<'randomUniform'>>();
    expectTypeOf<ReturnType<Primitives['randomNormal']>>().toEqualTypeOf<Given<'randomNormal'>>();
  });

  it('tell the author of a backend which dtype is wrong', () => {
    const float = {} as FloatTensor;
    // @ts-expect-error argMax gives i32
    const first: Partial<Backend> = { argMax: () => float };
    // @ts-expect-error a comparison gives i32
    const second: Partial<Backend> = { less: () => float };
    // @ts-expect-error a cast gives what it was asked for
    const third: Partial<Backend> = { cast: () => float };
    // @ts-expect-error reshape keeps the dtype
    const fourth: Partial<Backend> = { reshape: (x) => x as Tensor };
    // @ts-expect-error labels are i32
    const fifth: Partial<FusedKernels> = { crossEntropy: (_: FloatTensor, labels: FloatTensor) => labels };
    // @ts-expect-error the new weights are f32
    const sixth: Partial<FusedKernels> = { adamwUpdate: (state) => ({ ...state, weights: {} as IntegerTensor }) };
    const right: Partial<Backend> = { exp: (x: Tensor) => ({ ...x, dtype: 'f32' }), reshape: (x) => x };
    expect([first, second, third, fourth, fifth, sixth, right]).toHaveLength(7);
  });

  it('let no tensor through to a kernel whose dtype nobody has checked', () => {
    const backend = createTestBackend();
    const x = backend.fromData(Float32Array.of(1, 2), [2], 'f32');
    const labels = backend.fromData(Int32Array.of(1, 0), [2], 'i32');
    const call = (_: () => unknown) => undefined;
    // @ts-expect-error exp of i32
    call(() => backend.exp(labels));
    // @ts-expect-error exp of a dtype that may be any
    call(() => backend.exp(x as Tensor));
    // @ts-expect-error indices of f32
    call(() => backend.gather(x, x));
    // @ts-expect-error a comparison of two dtypes
    call(() => backend.equal(x, labels));
    // @ts-expect-error a choice between two dtypes
    call(() => backend.where(labels, x, labels));
    // @ts-expect-error bytes are not converted
    call(() => backend.cast(x, 'u8'));
    expectTypeOf(backend.reshape(labels, [1, 2])).toEqualTypeOf<IntegerTensor>();
    expectTypeOf(backend.where(labels, x, x)).toEqualTypeOf<FloatTensor>();
    backend.dispose(x);
    backend.dispose(labels);
  });

  it('leave operations with tensors of any dtype, as a record of weights has them', () => {
    const ops = createOperations(createTestBackend());
    const weights: Readonly<Record<string, Tensor>> = { w: ops.zeros([2]) };
    let x = ops.exp(weights.w!);
    x = weights.w!;
    expectTypeOf(ops.softmax(x)).toEqualTypeOf<Tensor>();
    ops.dispose(x);
  });
});

describe('the table of dtypes', () => {
  it('has a rule for each primitive, with dtypes that there are', () => {
    expect(Object.keys(primitiveDTypes).sort()).toEqual([...primitiveNames].sort());
    for (const { result, ...inputs } of Object.values(primitiveDTypes)) {
      expect([...Object.keys(bytesPerElement), 'same', 'dtype', 'none']).toContain(result);
      for (const allowed of Object.values(inputs)) {
        expect(allowed.length).toBeGreaterThan(0);
        for (const dtype of allowed as readonly string[]) expect(Object.keys(bytesPerElement)).toContain(dtype);
      }
    }
  });

  it('has several dtypes where a result is of the same', () => {
    for (const { result, ...inputs } of Object.values(primitiveDTypes)) {
      if (result !== 'same') continue;
      expect(Object.values(inputs).some((allowed) => (allowed as readonly string[]).length > 1)).toBe(true);
    }
  });
});

describe('a family of kernels', () => {
  it('shares no kernel with another, and is named by the contract', () => {
    const members: readonly string[] = kernelFamilies.flat();
    expect(new Set(members).size).toBe(members.length);
    for (const name of members) expect(fusedKernelNames).toContain(name);
  });
});

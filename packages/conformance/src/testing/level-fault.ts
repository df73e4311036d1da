import { createReferenceBackend, type ReferenceBackend } from '@lmd/backends/reference';
import {
  type Backend,
  createOperations,
  type EagerOperations,
  type FusedKernels,
  type PrimitiveName,
  type Tensor,
} from '@lmd/core';
import type { ConformanceLevelName } from '../levels.js';

/** A backend with one small mistake, the level that must find it, and the operation that its message must name. */
export interface LevelFault {
  readonly name: string;
  readonly level: ConformanceLevelName;
  /** In the message of the first failure of the level, or of one of its failures. */
  readonly names: RegExp;
  readonly breakIt: (right: ReferenceBackend) => Partial<Backend>;
  /** Whether the mistake costs time in every test, so that only its level is run. */
  readonly slow?: true;
}

/** The reference backend with the mistake. */
export function withFault({ breakIt }: LevelFault): Backend {
  const right = createReferenceBackend();
  return { ...right, ...breakIt(right) };
}

// biome-ignore lint/suspicious/noExplicitAny: operands of any operation, which a mistake passes on
type Given = any[];

/** Changes the values of one result of an operation, in place. */
type Change = (values: Float64Array, ...given: Given) => void;

/** Changes each value alone. */
export const each =
  (f: (value: number) => number): Change =>
  (values) => {
    for (let i = 0; i < values.length; i++) values[i] = f(values[i]!);
  };

/** A tensor with the values changed. The given one is freed. */
export function changed(right: ReferenceBackend, x: Tensor, change: (values: Float64Array) => void): Tensor {
  const values = right.readFloat64(x).slice();
  right.dispose(x);
  change(values);
  const data = x.dtype === 'f32' ? Float32Array.from(values) : Int32Array.from(values);
  return right.fromData(data, x.shape, x.dtype);
}

/** A primitive whose result is changed. */
export const result =
  (name: PrimitiveName, change: Change): LevelFault['breakIt'] =>
  (right) => ({
    [name]: (...given: Given) => {
      const made = (right[name] as (...given: Given) => Tensor)(...given);
      return changed(right, made, (values) => change(values, ...given));
    },
  });

/** A primitive that is called with other operands. */
export const operands =
  (name: PrimitiveName, other: (...given: Given) => Given): LevelFault['breakIt'] =>
  (right) => ({
    [name]: (...given: Given) => (right[name] as (...given: Given) => unknown)(...other(...given)),
  });

/** The kernels of the reference backend with another one. */
export function kernel<Name extends keyof FusedKernels>(
  name: Name,
  make: (right: ReferenceBackend) => FusedKernels[Name],
): LevelFault['breakIt'] {
  return (right) => ({ fused: { ...right.fused, [name]: make(right) } });
}

/** A kernel of the reference backend whose result is changed. */
export const kernelResult = (name: keyof FusedKernels, change: Change): LevelFault['breakIt'] =>
  kernel(name, (right) => {
    return ((...given: Given) => {
      const made = (right.fused[name] as unknown as (...given: Given) => Tensor)(...given);
      return changed(right, made, (values) => change(values, ...given));
    }) as never;
  });

/** A kernel written with core's operations on the primitives of the reference backend. */
export function fromOperations(
  name: string,
  make: (ops: EagerOperations, ...given: readonly unknown[]) => Tensor | Readonly<Record<string, Tensor>>,
): LevelFault['breakIt'] {
  return (right) => ({
    fused: {
      ...right.fused,
      [name]: (...given: readonly unknown[]) => {
        const ops = createOperations({ ...right, fused: {} });
        // Operands belong to other operations: they are adopted by a copy of their contents.
        const adopted = given.map((one) => adopt(ops, right, one));
        const made = ops.scope(() => make(ops, ...adopted));
        for (const one of adopted) if (isTensor(one)) ops.dispose(one);
        return made;
      },
    },
  });
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value;

function adopt(ops: EagerOperations, right: ReferenceBackend, value: unknown): unknown {
  if (!isTensor(value)) return value;
  const data = right.readFloat64(value);
  return ops.fromData(
    value.dtype === 'f32' ? Float32Array.from(data) : Int32Array.from(data),
    value.shape,
    value.dtype,
  );
}

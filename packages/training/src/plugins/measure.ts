import {
  type EagerOperations,
  type NamedTensors,
  type OptionsOf,
  type OptionTable,
  option,
  type Tensor,
} from '@lmd/core';

/** The common options of measurement plugins, declared once. */
export const measureOptionTable = {
  /** Number of steps between measurements; the last step is also measured. A whole number, at least 1; default 100. */
  every: option.integer({
    atLeast: 1,
    default: 100,
    describe: 'Number of steps between measurements; the last step is also measured.',
  }),
} as const satisfies OptionTable;

export interface MeasureOptions extends OptionsOf<typeof measureOptionTable> {}

/** True at each multiple of `every`, and after the last step. */
export function isDue(step: number, every: number, totalSteps: number): boolean {
  return step % every === 0 || step === totalSteps;
}

/** Scalars by name, computed on the device and read back together. The tensors returned by `make` are freed. */
export async function readScalars(ops: EagerOperations, make: () => NamedTensors): Promise<Map<string, number>> {
  let names: string[] = [];
  const stacked = ops.scope(() => {
    const scalars = make();
    names = Object.keys(scalars);
    return names.length === 0
      ? undefined
      : ops.concatenate(
          names.map((name) => ops.reshape(scalars[name]!, [1])),
          0,
        );
  });
  if (stacked === undefined) return new Map();
  try {
    const values = await ops.read(stacked);
    return new Map(names.map((name, index) => [name, values[index]!]));
  } finally {
    ops.dispose(stacked);
  }
}

/** The ratio, or null if it is not finite, which JSON cannot represent. */
export function ratio(numerator: number, denominator: number): number | null {
  const value = numerator / denominator;
  return Number.isFinite(value) ? value : null;
}

/** Sorted by name, so that sums do not depend on the order of a record. */
export function totalByName(numbers: { readonly [name: string]: number }): number {
  return Object.keys(numbers)
    .sort()
    .reduce((sum, name) => sum + numbers[name]!, 0);
}

/** Fraction of the elements of i32 flags that are 1, as a scalar sum. */
export function countOf(ops: EagerOperations, flags: Tensor): Tensor {
  return ops.sum(ops.cast(flags, 'f32'));
}

export function mapTensors(tensors: NamedTensors, body: (tensor: Tensor, name: string) => Tensor): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, body(tensor, name)]));
}

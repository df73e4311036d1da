import { type InMemoryArguments, inMemoryOrder } from '@lmd/mx-formats';
import type { ElementKernels } from '@lmd/native';

/** Kernels that only `@lmd/native` has: where it is absent, an operation does without (`MemoryHost.has`). */
export type NativeOnly = Pick<ElementKernels, 'encodeIntegersOfColumns'>;

/** The arguments of each after its range, by name. */
export interface NativeOnlyArguments {
  readonly encodeIntegersOfColumns: InMemoryArguments['encodeIntegersInMemory'] & { readonly columns: number };
}

export const nativeOnlyOrder: {
  readonly [Name in keyof NativeOnly]: (named: NativeOnlyArguments[Name]) => number[];
} = {
  encodeIntegersOfColumns: (named) => [...inMemoryOrder.encodeIntegersInMemory(named), named.columns],
};

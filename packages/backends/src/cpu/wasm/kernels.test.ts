import { readFile } from 'node:fs/promises';
import type { ElementKernels, NativeKernels } from '@lmd/native';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { MemoryHost } from '../memory-host.js';
import type { WasmKernels } from './kernels.generated.js';
import { argumentOrder, type Kernels } from './kernels.js';
import { type NativeOnly, nativeOnlyOrder } from './native-only.js';

type Arguments<All> = { readonly [Name in keyof All]: All[Name] extends (...rest: infer Rest) => void ? Rest : never };

/** The names of a source's kernels and of their parameters. */
async function signaturesIn(path: string): Promise<Map<string, string[]>> {
  const source = await readFile(new URL(path, import.meta.url), 'utf8');
  const methods = source.matchAll(/^ {2}(\w+)\(\s*(from: number,[^)]*)\): void;$/gm);
  return new Map([...methods].map(([, name, list]) => [name!, [...list!.matchAll(/(\w+):/g)].map(([, one]) => one!)]));
}

describe('the arguments of kernels', () => {
  it('are named: one that is missing, misspelt or of another type does not compile', () => {
    const check = ({ run }: Pick<MemoryHost, 'run'>) => {
      const split = { total: 1, cost: 1 };
      run('geluExact', split, { x: 1, out: 2 });
      // @ts-expect-error: out is missing
      run('geluExact', split, { x: 1 });
      // @ts-expect-error: misspelt
      run('geluExact', split, { x: 1, output: 2 });
      // @ts-expect-error: there is no y
      run('geluExact', split, { x: 1, out: 2, y: 3 });
      // @ts-expect-error: a flag is no number
      run('argMaxRows', split, { x: 1, out: 2, width: 1, integers: 0 });
    };
    expect(check).toBeTypeOf('function');
  });

  it('go to a kernel in the order of its parameters, as numbers', () => {
    const named = { integers: true, width: 3, out: 2, x: 1 };
    expect(argumentOrder.argMaxRows(named)).toEqual([1, 2, 3, 1]);
    expect(argumentOrder.largestInMemory({ partSize: 4, count: 3, out: 2, source: 1 })).toEqual([1, 2, 3, 4]);
  });

  it('are the same, in the same order, for the native kernels', async () => {
    expectTypeOf<Arguments<NativeKernels>>().toEqualTypeOf<Arguments<Pick<Kernels, keyof NativeKernels>>>();
    expectTypeOf<Arguments<ElementKernels>>().toEqualTypeOf<Arguments<Pick<Kernels, keyof ElementKernels>>>();
    expectTypeOf<keyof NativeKernels>().toExtend<keyof WasmKernels>();
    const formats = await signaturesIn('../../../../mx-formats/src/wasm/kernels.generated.ts');
    const wasm = new Map([...formats, ...(await signaturesIn('kernels.generated.ts'))]);
    const native = await signaturesIn('../../../../native/src/kernels.ts');
    expect(wasm.size).toBeGreaterThan(30);
    expect([...native.keys()]).toEqual(expect.arrayContaining(['matmul', 'lmdUpdate', 'roundRowsInMemory']));
    for (const [name, parameters] of native) {
      if (!(name in nativeOnlyOrder)) {
        expect(parameters, name).toEqual(wasm.get(name));
        continue;
      }
      expect(wasm.has(name), name).toBe(false);
      const numbered = Object.fromEntries(parameters.slice(2).map((parameter, i) => [parameter, i]));
      const order = nativeOnlyOrder[name as keyof NativeOnly] as unknown as (named: object) => number[];
      expect(order(numbered), name).toEqual(Object.values(numbered));
    }
  });
});

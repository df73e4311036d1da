import { type DType, type FloatTensor, sizeOf, type Tensor } from '@lmd/core';
import type { Kernel, ParameterValues } from './kernel.js';
import type { Queue } from './queue.js';
import type { Storage } from './storage.js';
import type { TensorStore } from './tensor-store.js';
import { threads } from './wgsl.js';

type Tensors<Count extends 2 | 3> = Count extends 2
  ? [FloatTensor, FloatTensor]
  : [FloatTensor, FloatTensor, FloatTensor];

/** Context of the operations. */
export interface Context {
  readonly queue: Queue;
  readonly store: TensorStore;
  /** A tensor with undefined contents. */
  allocate<Type extends DType>(shape: readonly number[], dtype: Type): Tensor<Type>;
  /** A tensor that `fill` writes; freed again where that throws. */
  make<Type extends DType>(shape: readonly number[], dtype: Type, fill: (out: Tensor<Type>) => void): Tensor<Type>;
  /** Several f32 tensors that `fill` writes; all freed again where that throws. */
  makeAll<Count extends 2 | 3>(
    shapes: readonly (readonly number[])[] & { readonly length: Count },
    fill: (outs: Tensors<Count>) => void,
  ): Tensors<Count>;
  /** Runs a kernel on whole tensors, over so many workgroups. */
  run(
    kernel: Kernel,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    values: ParameterValues,
    groups: number,
  ): void;
  /** Runs a kernel whose `params.count` threads each take one element (or as many as `each` says). */
  runElements(
    kernel: Kernel,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    values: ParameterValues,
    count: number,
  ): void;
  /**
   * Runs a kernel over tensors of one size buffer by buffer, so that it binds one buffer of each. Of a tensor of one
   * element every run sees all. `params.count` is the elements of this run, or counts `each` of them; `params.base` the
   * first one's index.
   */
  runPages(
    kernel: Kernel,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    values: ParameterValues,
    each?: number,
  ): void;
}

export function createContext(queue: Queue, store: TensorStore): Context {
  const storages = (xs: readonly Tensor[]) => xs.map((x) => store.storage(x));

  const context: Context = {
    queue,
    store,
    allocate: (shape, dtype) => store.allocate(shape, dtype),
    make(shape, dtype, fill) {
      const out = store.allocate(shape, dtype);
      try {
        fill(out);
      } catch (error) {
        store.free(out);
        throw error;
      }
      return out;
    },
    makeAll(shapes, fill) {
      const outs: FloatTensor[] = [];
      try {
        for (const shape of shapes) outs.push(store.allocate(shape, 'f32'));
        fill(outs as Parameters<typeof fill>[0]);
      } catch (error) {
        for (const out of outs) store.free(out);
        throw error;
      }
      return outs as Parameters<typeof fill>[0];
    },
    run(kernel, inputs, outputs, values, groups) {
      queue.dispatch(kernel, storages(inputs), storages(outputs), values, groups);
    },
    runElements(kernel, inputs, outputs, values, count) {
      context.run(kernel, inputs, outputs, { ...values, count }, Math.ceil(count / threads));
    },
    runPages(kernel, inputs, outputs, values, each = 1) {
      const size = sizeOf(outputs[0]!.shape);
      const whole = [storages(inputs), storages(outputs)] as const;
      const { pageWords } = queue;
      for (let page = 0, base = 0; base < size; page++, base += pageWords) {
        const elements = Math.min(pageWords, size - base);
        const count = Math.ceil(elements / each);
        const part = (all: readonly Storage[]) =>
          all.map((one) => (one.pages.length === 1 ? one : queue.memory.page(one, page)));
        const own = { ...values, base, elements, count };
        queue.dispatch(kernel, part(whole[0]), part(whole[1]), own, Math.ceil(count / threads));
      }
    },
  };
  return context;
}

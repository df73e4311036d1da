import { type FloatTensor, type FusedKernels, type IntegerTensor, sizeOf } from '@lmd/core';
import { type Context, cast, type Run, typed } from './context.js';
import { type NativeValue, typeAttribute, types } from './native.js';

type FusedName = 'softmax' | 'roundToBfloat16' | 'crossEntropy' | 'crossEntropyGradient';

const float = typed(types.float32);

/** Kernels that TensorFlow has as one operation. */
export function nodeFused(context: Context): Pick<FusedKernels, FusedName> {
  const { native, store, compute } = context;

  /** Losses and probabilities less one-hot labels, and whether each label is a class, which TensorFlow would refuse. */
  function classified(run: Run, logits: FloatTensor, labels: IntegerTensor) {
    const integers = typed(types.int32);
    const zero = native.scalar(0, types.int32);
    const own = store.at(labels);
    const notBelow = run('GreaterEqual', integers, [own, zero]);
    const less = run('Less', integers, [own, native.scalar(logits.shape[1]!, types.int32)]);
    const valid = run('LogicalAnd', [], [notBelow.id, less.id]);
    const safe = run('SelectV2', integers, [valid.id, own, zero]);
    return { valid, inputs: [store.at(logits), safe.id] };
  }

  const lossAttributes = [...float, typeAttribute('Tlabels', types.int32)];
  const missing = () => native.scalar(Number.NaN, types.float32);

  /** One of the two results; the other is freed. */
  function crossEntropyOperation(inputs: readonly number[], wanted: 0 | 1): NativeValue {
    const both = native.runAll('SparseSoftmaxCrossEntropyWithLogits', lossAttributes, inputs, 2);
    native.free(both[1 - wanted]!.id);
    return both[wanted]!;
  }

  return {
    softmax: (x) => compute(x.shape, 'f32', (run) => run('Softmax', float, [store.at(x)])),
    roundToBfloat16: (x) =>
      compute(x.shape, 'f32', (run) => {
        const rounded = cast(run, store.value(x).id, types.float32, types.bfloat16);
        return cast(run, rounded.id, types.bfloat16, types.float32);
      }),
    crossEntropy: (logits, labels) =>
      compute(labels.shape, 'f32', (run, temporary) => {
        const { valid, inputs } = classified(run, logits, labels);
        const loss = temporary(crossEntropyOperation(inputs, 0).id);
        return run('SelectV2', float, [valid.id, loss, missing()]);
      }),
    crossEntropyGradient: (logits, labels, dy) =>
      compute(logits.shape, 'f32', (run, temporary) => {
        const { valid, inputs } = classified(run, logits, labels);
        const difference = temporary(crossEntropyOperation(inputs, 1).id);
        const scale = run('SelectV2', float, [valid.id, store.at(dy), missing()]);
        const column = temporary(store.reshaped(scale.id, [sizeOf(labels.shape), 1], types.float32).id);
        return run('Mul', float, [difference, column]);
      }),
  };
}

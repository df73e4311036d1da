import type { DType, FloatTensor, FusedKernels, LmdTensors, Primitives, Tensor } from '@lmd/core';
import type { CpuBackend } from '../cpu/cpu-backend.js';
import type { Context } from './context.js';

type FusedName = 'fakeQuantize' | 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate';
type RandomName = 'randomBits' | 'randomUniform' | 'randomNormal';

/**
 * One pass of the cpu backend's kernels on copies replaces long chains of TensorFlow operations: a copy
 * moves each element twice either way, a draw of LMD draws two normals for it.
 */
export function cpuKernels(
  { native, store, upload }: Context,
  cpu: CpuBackend,
): { readonly random: Pick<Primitives, RandomName>; readonly fused: Pick<FusedKernels, FusedName> } {
  const fused = cpu.fused as FusedKernels;

  const copyIn = <Type extends DType>(x: Tensor<Type>) =>
    cpu.fromData(native.read(store.value(x).id), x.shape, x.dtype);

  /** Moves a result of the cpu backend to TensorFlow. */
  function moveOut<Type extends DType>(x: Tensor<Type>): Tensor<Type> {
    try {
      return upload(cpu.readSync(x), x.shape, x.dtype);
    } finally {
      cpu.dispose(x);
    }
  }

  /** Calls `body` with copies, which are freed after it. */
  function onCopies<Result>(inputs: readonly FloatTensor[], body: (copies: readonly FloatTensor[]) => Result): Result {
    const copies: FloatTensor[] = [];
    try {
      for (const x of inputs) copies.push(copyIn(x));
      return body(copies);
    } finally {
      for (const copy of copies) cpu.dispose(copy);
    }
  }

  return {
    random: {
      randomBits: (shape, key) => moveOut(cpu.randomBits(shape, key)),
      randomUniform: (shape, key) => moveOut(cpu.randomUniform(shape, key)),
      randomNormal: (shape, key) => moveOut(cpu.randomNormal(shape, key)),
    },
    fused: {
      fakeQuantize: (x, options) => onCopies([x], ([copy]) => moveOut(fused.fakeQuantize(copy!, options))),
      lmdDraw: (logPlus, logMinus, noise, key) =>
        onCopies([logPlus, logMinus], ([plus, minus]) => moveOut(fused.lmdDraw(plus!, minus!, noise, key))),
      lmdUpdate(state, gradients, keys, logPriorMedian, options) {
        const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
        const halves = momentumMinus === undefined ? [momentumPlus] : [momentumPlus, momentumMinus];
        const inputs = [logPriorMedian, logPlus, logMinus, ...halves, ...gradients];
        const next = onCopies(inputs, (copies) => {
          const [prior, plus, minus, plusMomentum] = copies as [FloatTensor, FloatTensor, FloatTensor, FloatTensor];
          const copy: LmdTensors<FloatTensor> = {
            logPlus: plus,
            logMinus: minus,
            momentumPlus: plusMomentum,
            ...(momentumMinus === undefined ? {} : { momentumMinus: copies[4]! }),
          };
          return fused.lmdUpdate(copy, copies.slice(3 + halves.length), keys, prior, options);
        });
        return {
          logPlus: moveOut(next.logPlus),
          logMinus: moveOut(next.logMinus),
          momentumPlus: moveOut(next.momentumPlus),
          ...(next.momentumMinus === undefined ? {} : { momentumMinus: moveOut(next.momentumMinus) }),
        };
      },
      adamwUpdate({ weights, firstMoment, secondMoment }, gradient, options) {
        const next = onCopies([weights, firstMoment, secondMoment, gradient], (copies) => {
          const [w, m, v, g] = copies as [FloatTensor, FloatTensor, FloatTensor, FloatTensor];
          return fused.adamwUpdate({ weights: w, firstMoment: m, secondMoment: v }, g, options);
        });
        return {
          weights: moveOut(next.weights),
          firstMoment: moveOut(next.firstMoment),
          secondMoment: moveOut(next.secondMoment),
        };
      },
    },
  };
}

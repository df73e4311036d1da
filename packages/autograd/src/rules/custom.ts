import { LmdError, type Operations, type Tensor } from '@lmd/core';
import type { Recorder } from '../recorder.js';

/** A user's own forward and backward. What it returns is checked, since no rule of ours vouches for it. */
export function custom({ ops, record }: Recorder): Pick<Operations, 'customGradient'> {
  return {
    customGradient(inputs, gradient) {
      const kept: Tensor[] = [];
      const { output } = ops.scope(() => {
        const made = gradient.forward(ops, inputs, (tensors) => void kept.push(...Object.values(tensors)));
        return { output: fresh(made, inputs), kept };
      });
      const readsInput = (index: number): boolean => gradient.saves?.inputs?.includes(index) ?? true;
      const readsOutput = gradient.saves?.output ?? true;
      return record('customGradient', inputs, output, {
        saves: [...inputs.filter((_, index) => readsInput(index)), ...(readsOutput ? [output] : [])],
        owns: kept,
        gradients: (dy, wanted) => {
          const gradients = gradient.backward(ops, dy, inputs, output, wanted);
          checkGradients(gradients, inputs);
          return gradients.map((x) => x && fresh(x, [...inputs, output]));
        },
      });
    },
  };

  /** An alias where a function gives back one of its arguments, which has an owner already. */
  function fresh(x: Tensor, owned: readonly Tensor[]): Tensor {
    return owned.includes(x) ? ops.reshape(x, x.shape) : x;
  }
}

function checkGradients(gradients: readonly (Tensor | null)[], inputs: readonly Tensor[]): void {
  if (gradients.length !== inputs.length) {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `A custom gradient of ${inputs.length} inputs returned ${gradients.length} gradients.`,
      {
        subject: 'customGradient.backward',
        value: gradients.length,
        remedy: 'Return one for each input; null for none.',
      },
    );
  }
  gradients.forEach((gradient, index) => {
    const shape = inputs[index]!.shape;
    if (gradient === null || gradient.shape.join() === shape.join()) return;
    throw new LmdError(
      'SHAPE_MISMATCH',
      `A custom gradient returned shape [${gradient.shape}] for input ${index} of shape [${shape}].`,
      {
        subject: `customGradient.backward[${index}]`,
        value: gradient.shape,
        remedy: 'Sum over axes that were broadcast.',
      },
    );
  });
}

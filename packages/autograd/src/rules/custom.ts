import { LmdError, type Operations, type Tensor } from '@lmd/core';
import { recomputedGradients } from '../recompute.js';
import type { Recorder } from '../recorder.js';

/**
 * Custom forward and backward functions of a user, whose results are validated.
 *
 * @param createTape makes the tape on which a function is run again.
 */
export function custom(
  { ops, record }: Recorder,
  createTape: Parameters<typeof recomputedGradients>[0],
): Pick<Operations, 'customGradient'> {
  return {
    customGradient(inputs, gradient) {
      const kept: Tensor[] = [];
      const { output } = ops.scope(() => {
        const made = gradient.forward(ops, inputs, (tensors) => void kept.push(...Object.values(tensors)));
        return { output: fresh(made, inputs), kept };
      });
      const readsInput = (index: number): boolean => gradient.saves?.inputs?.includes(index) ?? true;
      const readsOutput = gradient.backward !== 'recompute' && (gradient.saves?.output ?? true);
      return record('customGradient', inputs, output, {
        saves: [...inputs.filter((_, index) => readsInput(index)), ...(readsOutput ? [output] : [])],
        owns: kept,
        gradients: (dy, needsGradient) => {
          const gradients =
            gradient.backward === 'recompute'
              ? recomputedGradients(createTape, ops, gradient, inputs, dy, needsGradient)
              : gradient.backward(ops, dy, inputs, output, needsGradient);
          checkGradients(gradients, inputs);
          return gradients.map((x) => x && fresh(x, [...inputs, output]));
        },
      });
    },
  };

  /** An alias if a function returns one of its arguments, which already has an owner. */
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
        remedy: 'Return one gradient for each input, or null.',
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
        remedy: 'Return the shape of the input: sum over broadcast axes.',
      },
    );
  });
}

import { valueAndGradients } from '@lmd/autograd';
import { createReferenceBackend } from '@lmd/backends/reference';
import {
  type Backend,
  createOperations,
  type NamedTensors,
  type Operations,
  type Precision,
  type Tensor,
} from '@lmd/core';
import { quantizedMatmul } from '@lmd/models';
import { formats } from '@lmd/mx-formats';

const steps = 200;
const batch = 12;
const learningRate = 0.02;
const seed = 11;

const { mxfp4_e2m1, mxfp6_e2m3 } = formats;
const bf16 = { weights: 'bf16', activations: 'bf16', gradients: 'bf16' } as const;
/** Widths are no multiples of a block. */
const layers = [
  { inputs: 70, outputs: 90, weights: mxfp6_e2m3, activations: mxfp6_e2m3 },
  { inputs: 90, outputs: 50, weights: mxfp4_e2m1, activations: mxfp4_e2m1 },
  { inputs: 50, outputs: 10, weights: mxfp4_e2m1, activations: mxfp6_e2m3 },
] as const;

/** A stack of linear layers with rectifiers between them, which are exact: so is all that a logit is made of. */
function forward(ops: Operations, weights: NamedTensors, x: Tensor, step: number): Tensor {
  return layers.reduce((input, layer, i) => {
    const precision: Precision = {
      forward: { weights: { format: layer.weights }, activations: { format: layer.activations } },
      backward: bf16,
    };
    const key = { seed, step, sample: 0 };
    const output = quantizedMatmul(ops, input, weights[`layers.${i}`]!, { precision, key, product: `layers.${i}` });
    return i === layers.length - 1 ? output : ops.maximum(output, 0);
  }, x);
}

/** What the steps of a training run compute their logits from. */
interface RecordedRun {
  readonly inputs: Float32Array;
  /** By step, by layer. */
  readonly weights: readonly (readonly Float32Array[])[];
}

/**
 * Trains on the reference backend: a regression, by gradient descent, of no function that engines may compute
 * differently.
 */
export async function recordRun(): Promise<RecordedRun> {
  const ops = createOperations(createReferenceBackend());
  const uniform = (shape: readonly number[], stream: number, scale: number) =>
    ops.multiply(ops.subtract(ops.randomUniform(shape, { seed, stream, step: 0, sample: 0 }), 0.5), scale);
  const x = uniform([batch, layers[0].inputs], 0, 4);
  const targets = uniform([batch, layers[2].outputs], 1, 2);
  let weights: Record<string, Tensor> = Object.fromEntries(
    layers.map(({ inputs, outputs }, i) => [`layers.${i}`, uniform([inputs, outputs], 2 + i, 2 / Math.sqrt(inputs))]),
  );
  const recorded: Float32Array[][] = [];
  for (let step = 0; step < steps; step++) {
    recorded.push(await Promise.all(Object.values(weights).map(async (w) => (await ops.read(w)) as Float32Array)));
    const before = weights;
    weights = ops.scope(() => {
      const { gradients } = valueAndGradients(ops, before, (tape, drawn) => {
        const error = tape.subtract(forward(tape, drawn, x, step), targets);
        return tape.mean(tape.multiply(error, error));
      });
      return Object.fromEntries(
        Object.entries(before).map(([name, w]) => [
          name,
          ops.subtract(w, ops.multiply(gradients[name]!, learningRate)),
        ]),
      );
    });
    ops.dispose(Object.values(before));
  }
  return { inputs: (await ops.read(x)) as Float32Array, weights: recorded };
}

/** The SHA-256 of all logits of a run, step by step, on a backend. */
export async function hashOfLogits(backend: Backend, { inputs, weights }: RecordedRun): Promise<string> {
  const ops = createOperations(backend);
  const logits: Float32Array[] = [];
  for (const [step, values] of weights.entries()) {
    const y = ops.scope(() => {
      const named = layers.map((layer, i): [string, Tensor] => [
        `layers.${i}`,
        ops.fromData(values[i]!, [layer.inputs, layer.outputs]),
      ]);
      return forward(ops, Object.fromEntries(named), ops.fromData(inputs, [batch, layers[0].inputs]), step);
    });
    logits.push((await ops.read(y)) as Float32Array);
    ops.dispose(y);
  }
  const all = Float32Array.from(logits.flatMap((values) => Array.from(values)));
  const digest = await crypto.subtle.digest('SHA-256', all);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What every backend gives for `recordRun()`, on every engine of JavaScript. */
export const expectedHash = '7347839b5400b68cfcb34e1cb0810eb70163ff9e51a16bc383abbe2a5fc02b9a';

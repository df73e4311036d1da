import { valueAndGradients } from '@lmd/autograd';
import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { lmdParameter, precisionPreset, vit, vitPreset } from '@lmd/models';
import { race, report } from '../lib/report.mjs';

/** Random images and initial weights as arrays, so that both libraries start with the same bits. */
export async function startOf(backend, model, batch, imageShape) {
  const ops = createOperations(backend);
  const tensors = {
    ...model.initialize(ops, 1),
    inputs: ops.randomNormal([batch, ...imageShape], { seed: 1, stream: 0, step: 0, sample: 0 }),
  };
  const arrays = {};
  for (const [name, tensor] of Object.entries(tensors)) arrays[name] = [await ops.read(tensor), tensor.shape];
  ops.dispose(tensors);
  return arrays;
}

/** Training steps of a model on constant inputs and labels; each returns its loss. */
export async function stepTask(backend, model, start, labelsOfInputs, optimizer, precision) {
  const ops = createOperations(backend);
  const { inputs, ...weights } = Object.fromEntries(
    Object.entries(start).map(([name, [data, shape]]) => [name, ops.fromData(data, shape)]),
  );
  const labels = ops.fromData(labelsOfInputs);
  let state = await optimizer.init(ops, weights, 1);
  return async () => {
    const loss = ops.scope(() => {
      const key = { seed: 1, step: state.step, sample: 0 };
      const drawn = optimizer.draw(ops, state, key);
      const { value, gradients } = valueAndGradients(ops, drawn, (recording, recorded) => {
        const logits = model.forward(recording, recorded, inputs, { training: true, precision, key });
        const rows = recording.reshape(logits, [-1, logits.shape.at(-1)]);
        return recording.mean(recording.crossEntropy(rows, labels));
      });
      const next = optimizer.update(ops, state, [{ key, gradients }]);
      for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
      for (const tensor of Object.values(state.tensors)) ops.dispose(tensor);
      state = next;
      return ops.keep(value);
    });
    const [value] = await ops.read(loss);
    ops.dispose(loss);
    return value;
  };
}

/** Labels of ten classes. */
export const labelsOf = (batch) => Int32Array.from({ length: batch }, (_, i) => i % 10);

export async function benchTraining({ cpu, tfjs }, rounds, quick) {
  const lmdOnMatrices = parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 1e-3 }) },
    { match: () => true, optimizer: adamw({ learningRate: 1e-3 }) },
  ]);
  const tiny = (batch) => [`ViT tiny, batch ${batch}`, vit(vitPreset('tiny')), batch, [28, 28, 1], rounds];
  const models = quick ? [tiny(2)] : [tiny(64), ['ViT-Ti/4, batch 8', vit(vitPreset('Ti/4')), 8, [32, 32, 3], 2]];
  const rules = [
    { ruleName: 'AdamW, FP32', optimizer: adamw({ learningRate: 1e-3 }), format: 'fp32', bound: 1e-3 },
    { ruleName: 'LMD, MXFP6 forward', optimizer: lmdOnMatrices, format: 'mxfp6_e3m2', bound: 0.1 },
  ];
  for (const [modelName, model, batch, imageShape, times] of models) {
    const start = await startOf(cpu, model, batch, imageShape);
    for (const { ruleName, optimizer, format, bound } of rules) {
      const precision = precisionPreset(format);
      const backends = { ours: cpu, peer: tfjs };
      const tasks = {};
      const losses = [];
      for (const [side, backend] of Object.entries(backends)) {
        tasks[side] = await stepTask(backend, model, start, labelsOf(batch), optimizer, precision);
        losses.push(await tasks[side]());
      }
      // With the same weights and data, the first losses must agree for a fair comparison. With a block format, the
      // last bit of a sum may change the rounding of a value, and twelve blocks amplify the difference.
      if (!losses.every((loss) => Math.abs(loss - losses[0]) < bound))
        throw new Error(`The losses differ: ${losses.join(' and ')}.`);
      const least = await race(tasks, times);
      const name = `training step, ${modelName}, ${ruleName}`;
      report(name, least.ours, 'ms', 'TensorFlow.js wasm through the adapter', least.peer / least.ours);
    }
  }
}

import { valueAndGradients } from '@lmd/autograd';
import { createCpuBackend } from '@lmd/backends/cpu';
import { adamw, createOperations, type EagerOperations, lmd, type OptimizerState, parameterGroups } from '@lmd/core';
import { lmdParameter, precisionPreset, vit } from '@lmd/models';
import { describe, expect, it } from 'vitest';

const model = vit({
  imageSize: 12,
  channels: 1,
  classes: 5,
  patchSize: 4,
  width: 24,
  depth: 2,
  heads: 3,
  pooling: 'classToken',
});
const optimizer = parameterGroups([
  { match: lmdParameter, optimizer: lmd({ learningRate: 0.01 }) },
  { match: '*', optimizer: adamw({ learningRate: 0.003 }) },
]);
const batch = 13;

type Preset = Parameters<typeof precisionPreset>[0];

async function train(
  ops: EagerOperations,
  preset: Preset,
  steps: number,
  afterStep: (step: number) => void = () => {},
) {
  const precision = precisionPreset(preset);
  const images = ops.randomNormal([batch, 12, 12, 1], { seed: 3, stream: 0, step: 0, sample: 0 });
  const targets = ops.fromData(Int32Array.from({ length: batch }, (_, i) => i % 5));
  let state: OptimizerState = await optimizer.init(ops, model.initialize(ops, 1));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const key = { seed: 1, step, sample: 0 };
    const weights = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, weights, (recording, recorded) => {
      const logits = model.forward(recording, recorded, images, { training: true, precision, key });
      return recording.mean(recording.crossEntropy(logits, targets));
    });
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    losses.push((await ops.read(value))[0]!);
    ops.dispose([value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
    state = next;
    afterStep(step);
  }
  const tensors: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(state.tensors)) {
    const data = await ops.read(tensor);
    tensors[name] = Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length));
  }
  return { losses, tensors };
}

describe('threads of the cpu backend', () => {
  it.each(['fp32', 'mxfp6_e3m2'] as const)('train to the same bits, however many there are (%s)', async (preset) => {
    const results = [];
    for (const threads of [1, 2, 3]) {
      const backend = await createCpuBackend({ threads, parallelThreshold: 0 });
      results.push(await train(createOperations(backend), preset, 4));
      backend.close?.();
    }
    const [one, ...others] = results;
    expect(one!.losses.every(Number.isFinite)).toBe(true);
    expect(new Set(one!.losses).size).toBeGreaterThan(1);
    for (const other of others) expect(other).toEqual(one);
  });
});

describe('memory of the cpu backend', () => {
  it.each([1, 2])(
    'is not taken anew by any training step, once the first has freed what init made (%i threads)',
    async (threads) => {
      const backend = await createCpuBackend({ threads, parallelThreshold: 0 });
      const seen: object[] = [];
      await train(createOperations(backend), 'mxfp6_e3m2', 6, () => {
        seen.push({ ...backend.memory(), ...backend.arena() });
      });
      expect(seen.length).toBe(6);
      for (const later of seen.slice(2)) expect(later).toEqual(seen[1]);
      backend.close();
    },
  );
});

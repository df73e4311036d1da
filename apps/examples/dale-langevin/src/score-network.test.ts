import { valueAndGradients } from '@lmd/autograd';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations, type NamedTensors, optimizerFromDescription } from '@lmd/core';
import { fullPrecision, groupsBesideAdamw } from '@lmd/models';
import { arrayDataset, type Checkpoint, type Plugin, readTensors, train } from '@lmd/training';
import { expect, it } from 'vitest';
import { drawMixture, threeModes } from './experiment/mixture.js';
import { scoreError } from './experiment/mixture-check.js';
import { paperProcess } from './process.js';
import { scoreLoss, scoreNetwork, scoreOf } from './score-network.js';

const ops = createOperations(await createCpuBackend({ threads: 1 }));
const moments = { logMean: 0.35, logDeviation: 0.367 };
const small = { process: paperProcess, imageSize: 4, patchSize: 2, width: 8, depth: 1, heads: 2, ...moments };
const context = { training: true, precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };

const pictures = (count: number, size: number) =>
  ops.exp(ops.randomNormal([count, size, size, 1], { seed: 1, stream: 1, step: 0, sample: 0 }));

it('is the score of a log-normal with the data’s mean and variance while the output is 0', async () => {
  const network = scoreNetwork(small);
  const weights = { ...network.initialize(ops, 1), 'head.weight': ops.zeros([8, 4]) };
  const x = pictures(3, 4);
  const score = await ops.read(scoreOf(network, weights, context)(ops, x, ops.full([3, 1, 1, 1], 0.5)));
  const values = await ops.read(x);
  const variance = 0.367 ** 2 + 0.64 * 0.5;
  score.forEach((value, at) => {
    expect(value).toBeCloseTo(-1 - (Math.log(values[at]!) - 0.35) / variance, 4);
  });
});

it('puts each pixel of the output where that pixel of the input is', async () => {
  // With one-pixel changes of x, the largest change of a linear map from a patch to the same patch is that pixel's.
  const network = scoreNetwork({ ...small, width: 4, heads: 1 });
  const start = network.initialize(ops, 1);
  const identity = ops.fromData([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [4, 4]);
  const silent = Object.fromEntries(
    Object.entries(start).map(([name, tensor]) => [
      name,
      /attention|mlp|time|position/.test(name) ? ops.zeros(tensor.shape) : tensor,
    ]),
  );
  const weights = { ...silent, 'patchEmbedding.weight': identity, 'head.weight': ops.multiply(identity, 10) };
  const score = scoreOf(network, weights, context);
  const t = ops.full([1, 1, 1, 1], 1);
  const flat = ops.full([1, 4, 4, 1], 1);
  for (const pixel of [1, 4, 6, 11, 14]) {
    const bright = Array.from({ length: 16 }, (_, at) => (at === pixel ? 2 : 1));
    const changed = await ops.read(
      ops.subtract(score(ops, ops.fromData(bright, [1, 4, 4, 1]), t), score(ops, flat, t)),
    );
    expect(changed.indexOf(Math.max(...changed) as never)).toBe(pixel);
  }
});

it('has the gradient of its loss, by finite differences', async () => {
  const network = scoreNetwork(small);
  const weights = network.initialize(ops, 2);
  const loss = scoreLoss(network, small);
  const batch = { inputs: ops.exp(ops.multiply(ops.log(pictures(6, 4)), 0.3)), labels: ops.zeros([6], 'i32') };
  const { gradients } = valueAndGradients(ops, weights, (tape, watched) => loss(tape, watched, batch, context));
  for (const name of ['patchEmbedding.weight', 'time.up.weight', 'blocks.0.attention.qkv.weight', 'head.bias']) {
    // Along the gradient itself, where the difference is largest beside rounding.
    const gradient = gradients[name]!;
    const norm = Math.sqrt((await ops.read(ops.sum(ops.multiply(gradient, gradient))))[0]!);
    const lossAt = async (distance: number) => {
      const moved: NamedTensors = {
        ...weights,
        [name]: ops.add(weights[name]!, ops.multiply(gradient, distance / norm)),
      };
      return (await ops.read(loss(ops, moved, batch, context)))[0]!;
    };
    const slope = ((await lossAt(0.02)) - (await lossAt(-0.02))) / 0.04;
    expect(Math.abs(slope / norm - 1)).toBeLessThan(0.03);
  }
});

it.each([
  [[2, 5, 5, 1], 'SHAPE_MISMATCH'],
  [[2, 4, 8, 1], 'SHAPE_MISMATCH'],
  [[2, 4, 4, 3], 'SHAPE_MISMATCH'],
])('refuses pictures of the shape %o', (shape, code) => {
  const network = scoreNetwork(small);
  const weights = network.initialize(ops, 1);
  const score = () => scoreOf(network, weights, context)(ops, ops.full(shape, 1), ops.full([2, 1, 1, 1], 1));
  expect(score).toThrow(expect.objectContaining({ code }));
});

it.each(['lmd', 'adamw'] as const)(
  'learns the score of the mixture with %s, and resumes bit-identically',
  async (rule) => {
    const count = 4000;
    const inputs = drawMixture(threeModes, count, 1);
    const labels = new Int32Array(count);
    const data = arrayDataset({ name: 'mixture', inputs, inputShape: [2, 2, 1], labels, classes: 1 });
    const network = scoreNetwork({ ...small, imageSize: 2, patchSize: 1, width: 16, heads: 1 });
    const run = async (options: {
      readonly plugins?: readonly Plugin[];
      readonly resume?: { checkpoint: Checkpoint };
    }) => {
      const own = { rule, options: rule === 'lmd' ? { learningRate: 0.02, noise: 0.05 } : { learningRate: 0.01 } };
      const result = await train({
        ops,
        model: network,
        optimizer: optimizerFromDescription({
          groups: groupsBesideAdamw(own, network.parameters, { learningRate: 0.01 }),
        }),
        precision: fullPrecision,
        data: { train: data },
        loss: scoreLoss(network, small),
        seed: 1,
        steps: 120,
        batchSize: 48,
        ...options,
      });
      return { result, tensors: await readTensors(ops, result.state.tensors) };
    };
    let middle: Checkpoint | undefined;
    const keep: Plugin = {
      name: 'keep',
      async settle({ step }, training) {
        if (step === 110) middle = await training.snapshot();
      },
    };
    const straight = await run({ plugins: [keep] });
    const resumed = await run({ resume: { checkpoint: middle! } });
    expect(resumed.tensors).toEqual(straight.tensors);

    const errorOf = (weights: NamedTensors) =>
      scoreError(ops, paperProcess, scoreOf(network, weights, context), 0.5, 2);
    const untrained = await errorOf(network.initialize(ops, 1));
    const trained = await errorOf(straight.result.weights);
    expect(trained).toBeLessThan(0.35);
    expect(trained).toBeLessThan(untrained / 1.5);
  },
);

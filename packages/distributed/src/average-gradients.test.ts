import { adamw, clipByGlobalNorm, lmd, type Optimizer, parameterGroups, sgd } from '@lmd/core';
import { eventListener, type StepExchange, type TrainOptions, train } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, moons, outcome, outcomes } from '../test/small-run.js';
import { fromBfloat16, toBfloat16 } from './bfloat16.js';
import { type AverageGradientsOptions, averageGradients, inProcessTransport, type Transport } from './index.js';

const optimizers: { readonly [name: string]: () => Optimizer } = {
  sgd: () => sgd({ learningRate: 0.1 }),
  'adamw, clipped': () => clipByGlobalNorm(adamw({ learningRate: 0.02 }), 0.1),
  'lmd with two samples, and adamw': () =>
    parameterGroups([
      { match: /weight$/, optimizer: lmd({ learningRate: 0.02, samples: 2 }) },
      { match: '*', optimizer: adamw() },
    ]),
  'lmd, state of codes': () => lmd({ stateFormat: 'block16' }),
};

const exchanges = (workers: number, options: Partial<AverageGradientsOptions> = {}) => {
  const transport = inProcessTransport();
  return (rank: number) => averageGradients({ transport, run: 'run', rank, workers, ...options });
};

describe.each(Object.keys(optimizers))('averaged gradients with %s', (name) => {
  const options = () => ({ optimizer: optimizers[name]!() });

  it.each([2, 8])('%i workers have the bits of one process with as many micro-batches', async (workers) => {
    const losses: number[][] = [];
    const listen = (seen: number[]) => {
      losses.push(seen);
      return eventListener((event) => void (event.type === 'step' && seen.push(event.loss)));
    };
    const alone = await outcome({ ...base(), ...options(), microBatchSize: 8 / workers, plugins: [listen([])] });
    const together = await outcomes(workers, exchanges(workers), () => ({ ...options(), plugins: [listen([])] }));
    for (const { state, weights } of together) {
      expect(state).toEqual(alone.state);
      expect(weights).toEqual(alone.weights);
    }
    expect(losses.length).toBe(workers + 1);
    for (const seen of losses) expect(seen).toEqual(losses[0]);
  });
});

describe('averaged gradients', () => {
  it('count the labels that are not ignored over all workers, as one process does', async () => {
    const data = { train: moons(48, (index) => index % 3 === 0 || index < 8) };
    const alone = await outcome({ ...base(), data, microBatchSize: 2 });
    for (const { state } of await outcomes(4, exchanges(4), () => ({ data }))) expect(state).toEqual(alone.state);
  });

  it('of a custom loss have the bits of one process too', async () => {
    const loss: TrainOptions['loss'] = (ops, weights, { inputs }, context) => {
      const error = ops.subtract(base().model.forward(ops, weights, inputs, context), 0.5);
      return ops.mean(ops.multiply(error, error));
    };
    const alone = await outcome({ ...base(), loss, microBatchSize: 2 });
    for (const { state } of await outcomes(4, exchanges(4), () => ({ loss }))) expect(state).toEqual(alone.state);
  });

  it.each([1, 60, 100])('in buckets of %i bytes have the bits of one process too', async (bucketBytes) => {
    const options = () => ({ optimizer: lmd({ learningRate: 0.02, samples: 2 }) });
    const alone = await outcome({ ...base(), ...options(), microBatchSize: 4 });
    const transport = inProcessTransport();
    const channels = new Set<string>();
    const watching: Transport = {
      ...transport,
      gather(place, contribution) {
        channels.add(place.channel);
        return transport.gather(place, contribution);
      },
    };
    const exchange = (rank: number) =>
      averageGradients({ transport: watching, run: 'run', rank, workers: 2, bucketBytes });
    for (const { state, result } of await outcomes(2, exchange, options)) {
      expect(state).toEqual(alone.state);
      expect(result.loss).toBe(alone.result.loss);
    }
    // Two posterior samples, three weights of 64, 32 and 64 bytes, and counts, hashes and the last bucket.
    const buckets = [...channels].filter((name) => name.startsWith('run/gradients-'));
    expect(buckets).toHaveLength({ 1: 7, 60: 5, 100: 3 }[bucketBytes]!);
  });

  it('are sent while the backward pass runs', async () => {
    const transport = inProcessTransport();
    const order: string[] = [];
    const watching: Transport = {
      ...transport,
      gather(place, contribution) {
        if (place.channel.includes('gradients') && place.round === 0) order.push('sent');
        return transport.gather(place, contribution);
      },
    };
    const { model } = base();
    const layered: TrainOptions['model'] = {
      ...model,
      forward(ops, weights, x, context) {
        // The backward pass comes to the input of the network last.
        const input = ops.customGradient([weights['hidden.weight']!], {
          forward: (plain, [weight]) => plain.multiply(weight!, 1),
          backward(plain, dy) {
            order.push('first layer');
            return [plain.multiply(dy, 1)];
          },
        });
        return model.forward(ops, { ...weights, 'hidden.weight': input }, x, context);
      },
    };
    const exchange = averageGradients({ transport: watching, run: 'run', rank: 0, workers: 1, bucketBytes: 1 });
    await train({ ...base(), model: layered, steps: 1, exchange });
    expect(order).toEqual(['sent', 'sent', 'first layer', 'sent', 'sent']);
  });

  it('of a worker whose gradients are not finite never complete a step', async () => {
    const exchange = exchanges(2, { bucketBytes: 1, timeoutMs: 300 });
    const savers = [keepSnapshots(), keepSnapshots()];
    const loss: TrainOptions['loss'] = (ops, weights, { inputs }, context) => {
      const error = ops.subtract(base().model.forward(ops, weights, inputs, context), 0.5);
      return ops.multiply(ops.mean(ops.multiply(error, error)), Number.MAX_VALUE);
    };
    const runs = [0, 1].map((rank) =>
      train({ ...base(), ...(rank === 0 ? { loss } : {}), exchange: exchange(rank), plugins: [savers[rank]!] }),
    );
    const [failed, waiting] = await Promise.allSettled(runs);
    expect(failed).toMatchObject({ reason: { code: 'NON_FINITE' } });
    expect(waiting).toMatchObject({ reason: { code: 'WORKER_MISSING', value: [0] } });
    for (const { last } of savers) expect(last.step).toBe(0);
  });

  it('are the same on all workers with several micro-batches each', async () => {
    const [first, ...others] = await outcomes(2, exchanges(2), () => ({ microBatchSize: 2 }));
    for (const { state } of others) expect(state).toEqual(first!.state);
    const alone = await outcome({ ...base(), microBatchSize: 2 });
    expect(first!.result.loss).toBeCloseTo(alone.result.loss!, 5);
  });

  it('resume the checkpoint of one process, and the reverse, to the same bits', async () => {
    const whole = await outcome({ ...base(), microBatchSize: 4 });
    const halfway = keepSnapshots();
    await outcome({ ...base(), microBatchSize: 4, steps: 3, plugins: [halfway] });
    const resume = { checkpoint: halfway.last };
    const resumed = await outcomes(2, exchanges(2), () => ({ resume }));
    for (const { state } of resumed) expect(state).toEqual(whole.state);

    const savers = [keepSnapshots(), keepSnapshots()];
    await outcomes(2, exchanges(2), (rank) => ({ steps: 3, plugins: [savers[rank]!] }));
    const back = await outcome({ ...base(), microBatchSize: 4, resume: { checkpoint: savers[1]!.last } });
    expect(back.state).toEqual(whole.state);
  });

  it('in BF16 are the same on all workers, close to f32, and have an identity of their own', async () => {
    const saver = keepSnapshots();
    const [a, b] = await outcomes(2, exchanges(2, { format: 'bf16' }), () => ({ plugins: [saver] }));
    expect(a!.state).toEqual(b!.state);
    const [exact] = await outcomes(2, exchanges(2));
    expect(a!.state).not.toEqual(exact!.state);
    expect(Math.abs(a!.result.loss! - exact!.result.loss!)).toBeLessThan(0.01);
    const resume = { checkpoint: saver.last };
    await expect(train({ ...base(), steps: 8, microBatchSize: 4, resume })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
    });
  });

  it('name the worker whose weights differ', async () => {
    const exchange = exchanges(4, { compareEvery: 2 });
    const runs = Array.from({ length: 4 }, (_, rank) =>
      // Worker 2 has another learning rate, as if its machine computed other bits.
      train({ ...base(), optimizer: adamw({ learningRate: rank === 2 ? 0.03 : 0.02 }), exchange: exchange(rank) }),
    );
    for (const run of await Promise.allSettled(runs)) {
      expect(run).toMatchObject({ reason: { code: 'WORKERS_DIVERGED', value: [2] } });
    }
  });

  it('fail with the ranks that do not answer, and the last good state is saved', async () => {
    const saver = keepSnapshots();
    const exchange = exchanges(3, { timeoutMs: 50 });
    const runs = [0, 2].map((rank) => train({ ...base(), batchSize: 6, exchange: exchange(rank), plugins: [saver] }));
    for (const run of await Promise.allSettled(runs)) {
      expect(run).toMatchObject({ reason: { code: 'WORKER_MISSING', value: [1] } });
    }
    expect(saver.last.step).toBe(0);
  });

  it('end as interrupted when a signal ends the wait, with a state to save', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const saver = keepSnapshots();
    const exchange = exchanges(2, { signal })(0);
    const waiting = outcome({ ...base(), exchange, signal, plugins: [saver] });
    setTimeout(() => controller.abort(), 10);
    expect((await waiting).result).toMatchObject({ status: 'interrupted', step: 0 });
    expect(saver.last.step).toBe(0);
  });

  it('refuse a worker with another model', async () => {
    const exchange = exchanges(2);
    const other: TrainOptions['model'] = {
      ...base().model,
      parameters: { ...base().model.parameters, extra: { shape: [1] } },
      initialize: (ops, seed) => ({ ...base().model.initialize(ops, seed), extra: ops.full([1], 1) }),
    };
    const runs = [base().model, other].map((model, rank) => train({ ...base(), model, exchange: exchange(rank) }));
    for (const run of await Promise.allSettled(runs)) {
      expect(run).toMatchObject({ reason: { code: 'TRANSPORT_FAILURE' } });
    }
  });

  it.each<[string, Partial<TrainOptions>, Partial<StepExchange>]>([
    ['batchSize', { batchSize: 7 }, {}],
    ['keepPartialBatch', { keepPartialBatch: true }, {}],
    ['updateInPlace', { updateInPlace: true }, {}],
    ['rank', {}, { rank: 2 }],
    ['total', {}, { total: undefined as never }],
    ['specVersion', {}, { specVersion: 'lmd-plugin-v1' as never }],
  ])('train refuses %s that does not suit an exchange', async (subject, options, part) => {
    const exchange = { ...exchanges(2)(0), ...part };
    await expect(train({ ...base(), ...options, exchange })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject,
    });
  });

  it.each<[string, Partial<AverageGradientsOptions>]>([
    ['run', { run: 'a/b' }],
    ['rank', { rank: 2 }],
    ['transport', { transport: undefined as never }],
  ])('refuses a wrong option: %s', (subject, options) => {
    const good = { transport: inProcessTransport(), run: 'run', rank: 0, workers: 2 };
    expect(() => averageGradients({ ...good, ...options })).toThrow(expect.objectContaining({ subject }));
  });
});

describe('BF16', () => {
  it('is rounded to nearest, ties to even', () => {
    const [low, high] = [1, 1 + 2 ** -7];
    const values = Float32Array.of(0, -0, 1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -3.5, 2 ** -126);
    const expected = Float32Array.of(0, -0, low, low, 1 + 2 ** -6, high, -3.5, 2 ** -126);
    expect(fromBfloat16(toBfloat16(values), new Float32Array(values.length))).toEqual(expected);
  });
});

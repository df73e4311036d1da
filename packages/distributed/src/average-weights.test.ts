import { adamw, lion, lmd, type Optimizer, parameterGroups, sgd } from '@lmd/core';
import { eventListener, train } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, moons, outcome, outcomes } from '../test/small-run.js';
import { type AverageWeightsOptions, averageWeights, inProcessTransport, type Transport } from './index.js';

const optimizers: { readonly [name: string]: () => Optimizer } = {
  adamw: () => adamw({ learningRate: 0.02 }),
  lion: () => lion({ learningRate: 0.01 }),
  'lmd with two samples, and adamw': () =>
    parameterGroups([
      { match: /weight$/, optimizer: lmd({ learningRate: 0.02, samples: 2 }) },
      { match: '*', optimizer: adamw() },
    ]),
  'lmd, state of codes': () => lmd({ stateFormat: 'block16', learningRate: 0.02 }),
};

const exchanges = (workers: number, options: Partial<AverageWeightsOptions> = {}) => {
  const transport = inProcessTransport();
  return (rank: number) =>
    averageWeights({ transport, run: 'run', rank, workers, localSteps: 3, compareEvery: 1, ...options });
};

describe.each(Object.keys(optimizers))('averaged weights with %s', (name) => {
  const options = () => ({ optimizer: optimizers[name]!() });

  it('of one worker are those of a run without an exchange, to the bit', async () => {
    const alone = await outcome({ ...base(), ...options() });
    const [own] = await outcomes(1, exchanges(1), options);
    expect(own!.state).toEqual(alone.state);
    expect(own!.weights).toEqual(alone.weights);
    expect(own!.result.loss).toBe(alone.result.loss);
  });

  it('are the same on all workers after each average, and differ in between', async () => {
    const [first, ...others] = await outcomes(4, exchanges(4), options);
    for (const { weights, state } of others) {
      expect(weights).toEqual(first!.weights);
      // Momenta are the workers' own.
      expect(state).not.toEqual(first!.state);
    }
  });

  it('resume to the same bits from any step', async () => {
    const whole = await outcomes(2, exchanges(2), options);
    for (const step of [1, 3, 5]) {
      const savers = [keepSnapshots(), keepSnapshots()];
      const exchange = exchanges(2);
      const controllers = [new AbortController(), new AbortController()];
      await outcomes(2, exchange, (rank) => ({
        ...options(),
        signal: controllers[rank]!.signal,
        plugins: [
          savers[rank]!,
          eventListener((event) => void (event.type === 'step' && event.step === step && controllers[rank]!.abort())),
        ],
      }));
      expect(savers.map(({ last }) => last.step)).toEqual([step, step]);
      const resumed = await outcomes(2, exchanges(2), (rank) => ({
        ...options(),
        resume: { checkpoint: savers[rank]!.last },
      }));
      for (const [rank, { state }] of resumed.entries()) expect(state).toEqual(whole[rank]!.state);
    }
  });
});

describe('averaged weights', () => {
  it('are the mean of those that workers have on their own', async () => {
    const optimizer = () => ({ optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), steps: 3 });
    const savers = [keepSnapshots(), keepSnapshots()];
    // Without an average before the last step of all.
    await outcomes(2, exchanges(2, { localSteps: 3 }), (rank) => ({
      ...optimizer(),
      plugins: [
        { name: 'early', settle: (event, run) => (event.step === 2 ? savers[rank]!.settle!(event, run) : undefined) },
      ],
    }));
    const own = savers.map(({ last }) => last.tensors['head.weight/weight']!.data as Float32Array);
    expect(own[0]).not.toEqual(own[1]);
    const [averaged] = await outcomes(2, exchanges(2, { localSteps: 1 }), () => ({ ...optimizer(), steps: 1 }));
    const gradients = await outcome({ ...base(), ...optimizer(), steps: 1, microBatchSize: 4 });
    // After one step of SGD, the mean of the weights is the step of the mean gradient.
    const [a, b] = [averaged!, gradients].map(({ weights }) => weights['head.weight']!.data);
    a!.forEach((value, index) => {
      expect(value).toBeCloseTo(b![index]!, 6);
    });
  });

  it('learn with local steps', async () => {
    const data = { train: moons(48), validation: moons(48) };
    const [first] = await outcomes(4, exchanges(4, { localSteps: 8 }), () => ({ data, steps: 80 }));
    expect(first!.result.validation!.accuracy).toBeGreaterThan(0.75);
  });

  it('are exchanged once in so many steps', async () => {
    const transport = inProcessTransport();
    const rounds: number[] = [];
    const exchange = (rank: number) =>
      averageWeights({
        ...{ run: 'run', rank, workers: 2, localSteps: 2 },
        transport: {
          ...transport,
          gather(place, contribution) {
            if (rank === 0 && place.channel.includes('weights')) rounds.push(place.round);
            return transport.gather(place, contribution);
          },
        },
      });
    await outcomes(2, exchange);
    expect(rounds).toEqual([1, 3, 5]);
  });

  it('are not overwritten before the slowest worker has added them', async () => {
    const run = async (retainedRounds: number, lateMs: number) => {
      const transport = inProcessTransport({ retainedRounds });
      const late: Transport = {
        ...transport,
        async gather(place, contribution) {
          const round = await transport.gather(place, contribution);
          await new Promise((resolve) => setTimeout(resolve, lateMs));
          return round;
        },
      };
      const options = { run: 'run', workers: 2, localSteps: 1, compareEvery: 1000 };
      return outcomes(2, (rank) => averageWeights({ ...options, rank, transport: rank === 0 ? transport : late }));
    };
    const [copied, lent] = [await run(20, 0), await run(1, 20)];
    for (const [rank, { state }] of lent.entries()) expect(state).toEqual(copied[rank]!.state);
  });

  it('belong to a worker, and do not resume that of another', async () => {
    const savers = [keepSnapshots(), keepSnapshots()];
    await outcomes(2, exchanges(2), (rank) => ({ steps: 3, plugins: [savers[rank]!] }));
    const resume = { checkpoint: savers[1]!.last };
    await expect(train({ ...base(), exchange: exchanges(2)(0), resume })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
    });
  });

  it('need a number of steps that ends with an average, and an optimizer with positions', async () => {
    await expect(train({ ...base(), steps: 4, exchange: exchanges(1)(0) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'steps',
    });
    const optimizer = adamw({ weightFormat: 'bf16' });
    await expect(train({ ...base(), optimizer, exchange: exchanges(1)(0) })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      subject: 'optimizer',
    });
  });
});

import { adamw, lion, lmd, type Optimizer, parameterGroups } from '@lmd/core';
import { eventListener, type Json, type NamedHostTensors, type StepExchange, train } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, moons, outcome, outcomes } from '../test/small-run.js';
import { inProcessTransport, type Transport, type VoteSignsOptions, voteSigns } from './index.js';

const grouped = (optimizer: Optimizer) =>
  parameterGroups([
    { match: /weight$/, optimizer },
    { match: '*', optimizer: adamw({ learningRate: 0.02 }) },
  ]);

const optimizers: { readonly [name: string]: () => Optimizer } = {
  lion: () => lion({ learningRate: 0.02 }),
  'lmd, a direction for each half': () => grouped(lmd({ learningRate: 0.05 })),
  'lmd, one direction for both halves': () => grouped(lmd({ learningRate: 0.05, gradientScaling: 'none' })),
  'lmd, two samples and a state of codes': () =>
    grouped(lmd({ learningRate: 0.05, samples: 2, stateFormat: 'block16' })),
};

const exchanges = (workers: number, options: Partial<VoteSignsOptions> = {}) => {
  const transport = inProcessTransport();
  return (rank: number): StepExchange =>
    voteSigns({ transport, run: 'run', rank, workers, compareEvery: 2, ...options });
};

describe.each(Object.keys(optimizers))('votes with %s', (name) => {
  const options = () => ({ optimizer: optimizers[name]!() });

  it('of one worker that may abstain give the bits of one process', async () => {
    const alone = await outcome({ ...base(), ...options() });
    const [voted] = await outcomes(1, exchanges(1, { zeros: 'abstain' }), options);
    expect(voted!.state).toEqual(alone.state);
    expect(voted!.result.loss).toBe(alone.result.loss);
  });

  it('leave all workers with the same weights, which learn', async () => {
    const workers = name === 'lion' ? 4 : 2;
    const more = () => ({ ...options(), steps: 40, data: { train: moons(48), validation: moons(48) } });
    const [first, ...others] = await outcomes(workers, exchanges(workers), more);
    for (const { weights, result } of others) {
      expect(weights).toEqual(first!.weights);
      expect(result.loss).toBe(first!.result.loss);
    }
    expect(first!.result.validation!.accuracy).toBeGreaterThan(0.75);
    // Each worker has the momenta of its own examples.
    expect(others[0]!.state).not.toEqual(first!.state);
  });
});

/** A transport on which a worker contributes only after the others have closed each of the given rounds. */
function withLateWorker(transport: Transport, rank: number, isLate: (round: number) => boolean): Transport {
  const seen = new Map<number, () => void>();
  const closed = new Map<number, Promise<void>>();
  const whenClosed = (round: number) => {
    const known = closed.get(round) ?? new Promise<void>((resolve) => seen.set(round, resolve));
    closed.set(round, known);
    return known;
  };
  return {
    ...transport,
    async gather(place, contribution) {
      const counts = place.channel.endsWith('/votes') && isLate(place.round);
      if (counts && contribution.rank === rank) await whenClosed(place.round);
      const result = await transport.gather(place, contribution);
      if (counts && contribution.rank !== rank) {
        whenClosed(place.round);
        seen.get(place.round)!();
      }
      return result;
    },
  };
}

describe('votes', () => {
  const lionOptions = () => ({ optimizer: lion({ learningRate: 0.02 }) });

  it('of a quorum decide when a worker is late, for that worker too, and the voters are reported', async () => {
    const transport = withLateWorker(inProcessTransport(), 1, (round) => round === 1 || round === 4);
    const reports: Json[][] = [[], [], []];
    const all = await outcomes(
      3,
      (rank) => voteSigns({ transport, run: 'run', rank, workers: 3, quorum: 2, deadlineMs: 200, compareEvery: 1 }),
      (rank) => ({
        ...lionOptions(),
        batchSize: 6,
        plugins: [
          eventListener((event) => {
            if (event.type === 'report') reports[rank]!.push({ step: event.step, data: event.data });
          }),
        ],
      }),
    );
    for (const { weights } of all) expect(weights).toEqual(all[0]!.weights);
    for (const seen of reports) {
      expect(seen).toContainEqual({ step: 2, data: { voters: [0, 2] } });
      expect(seen).toContainEqual({ step: 5, data: { voters: [0, 2] } });
      expect(seen).toEqual(reports[0]);
    }
  });

  it('of a quorum go on without a worker that has ended', async () => {
    const exchange = exchanges(4, { quorum: 3, deadlineMs: 20 });
    const all = await outcomes(4, exchange, (rank) => ({ ...lionOptions(), steps: rank === 1 ? 3 : 8 }));
    const [first, ended, ...others] = all;
    for (const { weights } of others) expect(weights).toEqual(first!.weights);
    expect(ended!.weights).not.toEqual(first!.weights);
    expect(all.map(({ result }) => result.step)).toEqual([8, 3, 8, 8]);
  });

  it('repeat with the same voters and bits when workers resume', async () => {
    const transport = withLateWorker(inProcessTransport(), 0, (round) => round === 4);
    const exchange = (rank: number) =>
      voteSigns({ transport, run: 'run', rank, workers: 2, quorum: 1, deadlineMs: 200, compareEvery: 1 });
    const savers = [keepSnapshots(), keepSnapshots()];
    const kept = (rank: number) => ({
      ...savers[rank]!,
      settle: (...[event, run]: Parameters<NonNullable<(typeof savers)[number]['settle']>>) =>
        event.step === 3 ? savers[rank]!.settle!(event, run) : undefined,
    });
    const whole = await outcomes(2, exchange, (rank) => ({ ...lionOptions(), plugins: [kept(rank)] }));
    // Whoever repeats a round votes as before, now without anyone late: the rounds have their results.
    const resumed = await outcomes(2, exchange, (rank) => ({
      ...lionOptions(),
      resume: { checkpoint: savers[rank]!.last },
    }));
    for (const [rank, { state }] of resumed.entries()) expect(state).toEqual(whole[rank]!.state);
  });

  it('of a worker do not resume from the checkpoint of another', async () => {
    const savers = [keepSnapshots(), keepSnapshots()];
    await outcomes(2, exchanges(2), (rank) => ({ ...lionOptions(), steps: 2, plugins: [savers[rank]!] }));
    const exchange = exchanges(2)(0);
    const resume = { checkpoint: savers[1]!.last };
    await expect(train({ ...base(), ...lionOptions(), exchange, resume })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
    });
  });

  it('weight averaged gradients by the labels that are not ignored', async () => {
    // All labels of some shares are ignored, and lion is given nothing: adamw follows the rest.
    const data = { train: moons(48, (index) => index % 4 === 0) };
    const options = () => ({ data, optimizer: grouped(lion({ learningRate: 0 })), steps: 3 });
    const alone = await outcome({ ...base(), ...options(), microBatchSize: 1 });
    const voted = await outcomes(8, exchanges(8), options);
    const bias = (weights: NamedHostTensors) => Array.from(weights['hidden.bias']!.data);
    for (const { weights } of voted) {
      expect(weights).toEqual(voted[0]!.weights);
      bias(weights).forEach((value, index) => {
        expect(value).toBeCloseTo(bias(alone.weights)[index]!, 5);
      });
    }
  });

  it('need an optimizer whose step is a sign', async () => {
    await expect(train({ ...base(), exchange: exchanges(1)(0) })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      value: 'adamw',
    });
  });

  it.each<[string, Partial<VoteSignsOptions>]>([
    ['quorum', { deadlineMs: 5 }],
    ['deadlineMs', { quorum: 1 }],
    ['quorum', { quorum: 3, deadlineMs: 5 }],
    ['deadlineMs', { quorum: 1, deadlineMs: 600_000 }],
  ])('refuse a wrong %s: %o', (subject, options) => {
    expect(() => exchanges(2, options)(0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', subject }));
  });
});

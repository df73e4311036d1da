import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, isLmdError, lmd, type Model, type Optimizer } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { f32, moons, tinyMlp } from '../test/tinyMlp.js';
import { type Checkpoint, readTensors } from './checkpoints/checkpoint.js';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoints/checkpointFormat.js';
import type { DatasetBatch } from './data/dataset.js';
import type { TrainingEvent } from './events.js';
import { eventListener, type Plugin, type TrainOptions, train, weightAveraging } from './index.js';
import { findNonFinite } from './nonFinite.js';
import { enqueueStep } from './step.js';

const optimizers: { readonly [name: string]: () => Optimizer } = {
  adamw: () => adamw({ learningRate: 0.05 }),
  lmd: () => lmd({ learningRate: 0.02, samples: 2 }),
};

const base = () => ({
  backend: createReferenceBackend(),
  model: tinyMlp(2, 8, 2, 0.1),
  optimizer: adamw({ learningRate: 0.01 }),
  precision: f32,
  data: { train: moons(40) },
  seed: 1,
  steps: 6,
  batchSize: 8,
});

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not throw',
    (error) => error,
  );

/** Keeps a snapshot of the last settled step. */
function keepSnapshots(): Plugin & { readonly last: Checkpoint } {
  let last: Checkpoint | undefined;
  return {
    name: 'keepSnapshots',
    async settle(_, run) {
      last = await run.snapshot();
    },
    get last() {
      return last!;
    },
  };
}

/** Trains and gives all state and weights as bytes. */
async function outcome(options: TrainOptions) {
  const ops = options.ops ?? createOperations(options.backend!);
  const result = await train({ ...options, ops, backend: undefined });
  const tensors = { ...(await readTensors(ops, result.state.tensors)), ...(await readTensors(ops, result.weights)) };
  result.dispose();
  return { result, tensors };
}

describe('train', () => {
  it.each(Object.keys(optimizers))('learns with %s', async (name) => {
    const losses: number[] = [];
    const { result } = await outcome({
      ...base(),
      optimizer: optimizers[name]!(),
      steps: 150,
      data: { train: moons(40), validation: moons(40), test: moons(20) },
      plugins: [eventListener((event) => void (event.type === 'step' && losses.push(event.loss)))],
    });
    expect(losses.length).toBe(150);
    expect(result.validation!.accuracy).toBeGreaterThan(0.8);
    expect(result.test!.examples).toBe(20);
    expect(result.status).toBe('finished');
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
  });

  it('is a function of its options: equal runs are equal to the bit, and another seed is another run', async () => {
    const first = await outcome(base());
    expect((await outcome(base())).tensors).toEqual(first.tensors);
    expect((await outcome({ ...base(), seed: 2 })).tensors).not.toEqual(first.tensors);
  });

  describe.each(Object.keys(optimizers))('resumed with %s', (name) => {
    // 5 batches an epoch: 6 of 12 steps end in the middle of the second.
    it('N steps, save, load, N steps give the bits of 2N steps, also within an epoch', async () => {
      const options = () => ({ ...base(), optimizer: optimizers[name]!(), plugins: [weightAveraging({ decay: 0.5 })] });
      const whole = await outcome({ ...options(), steps: 12 });
      const saver = keepSnapshots();
      await outcome({ ...options(), steps: 6, plugins: [saver, ...options().plugins] });
      const checkpoint = await decodeCheckpoint(await encodeCheckpoint(saver.last));
      expect(checkpoint.step).toBe(6);
      const resumed = await outcome({ ...options(), steps: 12, resume: { checkpoint } });
      expect(resumed.tensors).toEqual(whole.tensors);
      expect(resumed.result.loss).toBe(whole.result.loss);
    });
  });

  it('accumulates micro-batches to the gradient of the whole batch', async () => {
    const options = () => ({ ...base(), model: tinyMlp(), steps: 3 });
    const whole = await outcome(options());
    // 8 = 3 + 3 + 2: the last micro-batch weighs less.
    const parts = await outcome({ ...options(), microBatchSize: 3 });
    for (const [name, { data }] of Object.entries(whole.tensors)) {
      data.forEach((value, index) => {
        expect(parts.tensors[name]!.data[index]).toBeCloseTo(value, 5);
      });
    }
  });

  it('holds as much after 300 steps as after 10', async () => {
    for (const optimizer of Object.values(optimizers)) {
      const backend = createReferenceBackend();
      const held: { tensors: number; bytes: number }[] = [];
      const ops = createOperations(backend);
      const peaks: number[] = [];
      const result = await train({
        ...base(),
        backend: undefined,
        ops,
        optimizer: optimizer(),
        microBatchSize: 4,
        steps: 300,
        evaluateEvery: 10,
        data: { train: moons(40), validation: moons(8) },
        plugins: [
          weightAveraging(),
          eventListener(({ type }, { step }) => {
            if (type !== 'settle' || (step !== 10 && step !== 300)) return;
            held.push(backend.memory());
            peaks.push(ops.memory().peakBytes);
          }),
        ],
      });
      expect(held.length).toBe(2);
      expect(held[1]).toEqual(held[0]);
      expect(peaks[1]).toBe(peaks[0]);
      result.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    }
  });

  it('tells plugins in order, and in the order of the step', async () => {
    const seen: string[] = [];
    const listen = (name: string) =>
      eventListener((event: TrainingEvent) => {
        seen.push(`${name}:${event.type}${'step' in event ? event.step : ''}`);
      }, name);
    await outcome({
      ...base(),
      steps: 2,
      evaluateEvery: 2,
      data: { train: moons(40), validation: moons(8), test: moons(8) },
      plugins: [listen('a'), listen('b')],
    });
    expect(seen.filter((entry) => entry.startsWith('a'))).toEqual([
      'a:start',
      'a:step1',
      'a:settle1',
      'a:step2',
      'a:evaluation2',
      'a:settle2',
      'a:evaluation2',
      'a:end2',
    ]);
    for (let index = 0; index < seen.length; index += 2) {
      expect(seen[index + 1]).toBe(seen[index]!.replace('a:', 'b:'));
    }
  });

  it('counts epochs, and keeps the partial batch when asked', async () => {
    const positions: string[] = [];
    await outcome({
      ...base(),
      data: { train: moons(20) },
      steps: undefined,
      epochs: 2,
      keepPartialBatch: true,
      plugins: [
        eventListener((e) => void (e.type === 'step' && positions.push(`${e.epoch}.${e.position}:${e.samples}`))),
      ],
    });
    expect(positions).toEqual(['0.0:8', '0.1:8', '0.2:4', '1.0:8', '1.1:8', '1.2:4']);
  });

  it('ends after the step when the signal aborts, lets plugins save, and goes on to the same bits', async () => {
    const whole = await outcome(base());
    const controller = new AbortController();
    const saver = keepSnapshots();
    const endings: (string | undefined)[] = [];
    const { result } = await outcome({
      ...base(),
      signal: controller.signal,
      plugins: [
        {
          name: 'abort',
          step: ({ step }) => step === 3 && controller.abort(),
          settle: ({ ending }) => void endings.push(ending),
        } as Plugin,
        saver,
      ],
    });
    expect([result.status, result.step, result.test]).toEqual(['interrupted', 3, undefined]);
    expect(endings).toEqual([undefined, undefined, 'interrupted']);
    const resumed = await outcome({ ...base(), resume: { checkpoint: saver.last } });
    expect(resumed.tensors).toEqual(whole.tensors);
  });

  it('lets timers and signals run while a synchronous backend computes', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const { result } = await outcome({ ...base(), steps: 1_000_000, signal: controller.signal });
    expect(result.status).toBe('interrupted');
  });

  it('warns when it goes on from another backend or version', async () => {
    const saver = keepSnapshots();
    await outcome({ ...base(), steps: 3, plugins: [saver] });
    const versions = { training: '0.0.1', backend: 'abacus', device: 'wood' };
    const messages: string[] = [];
    await outcome({
      ...base(),
      resume: { checkpoint: { ...saver.last, versions } },
      plugins: [{ name: 'listen', warning: ({ message }) => void messages.push(message) }],
    });
    expect(messages.length).toBe(2);
    expect(messages[0]).toMatch(/written on backend abacus, and the run goes on with reference/);
    expect(messages[1]).toMatch(/written by @lmd\/training 0\.0\.1/);
  });

  it('evaluates and returns again what a run resumed after its last step had', async () => {
    const data = { train: moons(40), validation: moons(8), test: moons(8) };
    const saver = keepSnapshots();
    const whole = await outcome({ ...base(), data, plugins: [saver] });
    const again = await outcome({ ...base(), data, resume: { checkpoint: saver.last } });
    expect(again.tensors).toEqual(whole.tensors);
    expect(again.result.validation).toEqual(whole.result.validation);
    expect(again.result.test).toEqual(whole.result.test);
    expect(again.result.loss).toBe(whole.result.loss);
  });
});

describe('train refuses', () => {
  const cases: [string, object, string, RegExp][] = [
    ['an unknown option', { stepz: 3 }, 'UNKNOWN_OPTION', /no option "stepz"/],
    ['unknown data', { data: { train: moons(8), valid: moons(8) } }, 'UNKNOWN_OPTION', /no option "valid"/],
    ['steps and epochs', { epochs: 1 }, 'INVALID_ARGUMENT', /both steps and epochs/],
    ['neither', { steps: undefined }, 'INVALID_ARGUMENT', /neither of steps and epochs/],
    ['no backend', { backend: undefined }, 'INVALID_ARGUMENT', /neither of ops and backend/],
    ['a batch size of 0', { batchSize: 0 }, 'INVALID_ARGUMENT', /batchSize is 0/],
    ['a negative seed', { seed: -1 }, 'INVALID_ARGUMENT', /seed is -1/],
    ['two plugins of a name', { plugins: [{ name: 'a' }, { name: 'a' }] }, 'INVALID_ARGUMENT', /called "a"/],
    ['half a memory', { plugins: [{ name: 'a', state: () => ({}) }] }, 'INVALID_ARGUMENT', /one of state and restore/],
  ];
  it.each(cases)('%s', async (_, change, code, message) => {
    const error = await rejection(train({ ...base(), ...change }));
    expect(isLmdError(error) && error.code).toBe(code);
    expect(String(error)).toMatch(message);
  });

  const saved = async () => {
    const saver = keepSnapshots();
    await outcome({ ...base(), plugins: [saver], configuration: { decay: 0.1 } });
    return saver.last;
  };
  const mismatches: [string, object, RegExp][] = [
    ['another optimizer', { optimizer: lmd() }, /optimizer is "adamw" in the checkpoint and "lmd"/],
    [
      'a tensor of another shape',
      { model: { ...tinyMlp(2, 9), name: tinyMlp().name } },
      /hidden\.weight\/\w+ is f32 \[2, 8\] in the checkpoint and f32 \[2, 9\] in this run/,
    ],
    ['another configuration', { configuration: { decay: 0.2 } }, /configuration\.decay is 0\.1 .* and 0\.2/],
    ['another data set', { data: { train: moons(48) } }, /dataset\.size is 40 .* and 48/],
    [
      'another precision',
      { precision: { ...f32, backward: { ...f32.backward, gradients: 'bf16' } } },
      /precision\.backward\.gradients is "f32" .* and "bf16"/,
    ],
    ['another batch size', { batchSize: 4 }, /batchSize is 8 .* and 4/],
    ['fewer steps', { steps: 5 }, /at step 6 of 5/],
    ['a plugin with memory more', { plugins: [weightAveraging()] }, /no state for plugin "weightAveraging"/],
  ];
  it.each(mismatches)('a checkpoint with %s', async (_, change, message) => {
    const checkpoint = await saved();
    const backend = createReferenceBackend();
    const options = { ...base(), backend, configuration: { decay: 0.1 }, resume: { checkpoint }, ...change };
    const error = await rejection(train(options));
    expect(isLmdError(error) && error.code).toBe('CHECKPOINT_MISMATCH');
    expect(String(error)).toMatch(message);
    expect(backend.memory().tensors).toBe(0);
  });
});

describe('a failure', () => {
  it('in a hook names the plugin and the hook, keeps the cause, tells the others and frees everything', async () => {
    const cause = new RangeError('no such luck');
    for (const hook of ['start', 'step', 'evaluate', 'settle', 'end', 'close'] as const) {
      const backend = createReferenceBackend();
      const told: unknown[] = [];
      let closed = 0;
      const error = await rejection(
        train({
          ...base(),
          backend,
          data: { train: moons(40), validation: moons(8) },
          plugins: [
            weightAveraging(),
            {
              name: 'clumsy',
              [hook]: () => {
                throw cause;
              },
            },
            { name: 'witness', failure: (event) => void told.push(event.error), close: () => void closed++ },
          ],
        }),
      );
      expect(isLmdError(error, 'PLUGIN_FAILURE')).toBe(true);
      expect(String(error)).toContain(`Plugin "clumsy" failed in its hook "${hook}": no such luck`);
      expect((error as Error).cause).toBe(cause);
      expect(told).toEqual([error]);
      expect(closed).toBe(1);
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    }
  });

  it('in a hook that another plugin called is named once, by its own plugin', async () => {
    const report = { type: 'report', step: 0, plugin: 'caller', data: null } as const;
    const error = await rejection(
      train({
        ...base(),
        plugins: [
          { name: 'caller', start: (_, run) => run.announce(report) },
          {
            name: 'clumsy',
            report() {
              throw new Error('no such luck');
            },
          },
        ],
      }),
    );
    expect(String(error)).toBe('LmdError: Plugin "clumsy" failed in its hook "report": no such luck');
  });

  it('of the data set lets plugins save the state before it', async () => {
    const data = moons(40);
    const endings: unknown[] = [];
    let batches = 0;
    const error = await rejection(
      train({
        ...base(),
        data: {
          train: {
            ...data,
            batch: (indices) => {
              const batch = data.batch(indices);
              if (++batches === 3) (batch as { labels: { data: Int32Array } }).labels.data[0] = 2;
              return batch;
            },
          },
        },
        plugins: [{ name: 'save', settle: ({ step, ending }) => void endings.push([step, ending]) }],
      }),
    );
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
    expect(endings).toEqual([
      [1, undefined],
      [2, undefined],
      [2, 'failed'],
    ]);
  });
});

describe('NON_FINITE', () => {
  /** The tiny network, spoilt from a given step on. */
  const spoilt = (spoil: Partial<Model>): Model => ({ ...tinyMlp(), ...spoil });
  const failed = async (options: object) => {
    const backend = createReferenceBackend();
    const saver = keepSnapshots();
    const error = await rejection(train({ ...base(), backend, plugins: [saver], ...options }));
    expect(isLmdError(error) ? error.code : error).toBe('NON_FINITE');
    expect(backend.memory().tensors).toBe(0);
    return { error: error as Error, saved: saver.last as Checkpoint | undefined };
  };

  it('names the loss', async () => {
    const { error, saved } = await failed({
      model: spoilt({
        forward: (ops, weights, x, context) => {
          const logits = tinyMlp().forward(ops, weights, x, context);
          return context.key.step < 3 ? logits : ops.multiply(logits, Number.NaN);
        },
      }),
    });
    expect(error.message).toMatch(/In step 4, loss is NaN at element 0.*No checkpoint was written/);
    expect(saved!.step).toBe(3);
  });

  it('names the first gradient in the order of the weights', async () => {
    const { error } = await failed({
      model: spoilt({
        forward: (ops, weights, x, context) =>
          ops.customGradient([tinyMlp().forward(ops, weights, x, context)], {
            forward: (plain, [logits]) => plain.reshape(logits!, logits!.shape),
            backward: (plain, dy) => [plain.multiply(dy, context.key.step < 2 ? 1 : Number.POSITIVE_INFINITY)],
          }),
      }),
    });
    expect(error.message).toMatch(/In step 3, gradient of hidden\.weight is (NaN|-?Infinity)/);
  });

  it('names the updated state, and keeps the good one', async () => {
    const { error, saved } = await failed({ optimizer: adamw({ learningRate: (step) => (step < 2 ? 0.01 : 3e38) }) });
    expect(error.message).toMatch(/In step 3, updated state hidden\.weight\/weight is -?Infinity/);
    for (const { data } of Object.values(saved!.tensors))
      expect(data.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('names the inputs', async () => {
    const data = moons(40);
    const { error } = await failed({
      data: {
        train: {
          ...data,
          batch: (indices: Int32Array) => {
            const batch = data.batch(indices) as { inputs: { data: Float32Array } };
            batch.inputs.data[5] = Number.NaN;
            return batch;
          },
        },
      },
    });
    expect(error.message).toMatch(/In step 1, inputs is NaN at element 5/);
  });

  it('lets finite gradients be whose sum overflows', async () => {
    const bias = { 'head.bias': { shape: [2] } };
    const huge: Model = {
      name: 'huge',
      parameters: bias,
      initialize: (ops) => ({ 'head.bias': ops.zeros([2]) }),
      forward: (ops, weights, x) =>
        ops.customGradient([ops.broadcastTo(weights['head.bias']!, [x.shape[0]!, 2])], {
          forward: (plain, [logits]) => plain.reshape(logits!, logits!.shape),
          backward: (plain, dy) => [plain.full(dy.shape, 3e38 / 8)],
        }),
    };
    const ops = createOperations(createReferenceBackend());
    const optimizer = signDescent();
    const state = await optimizer.init(ops, huge.initialize(ops, 0));
    const context = { ops, model: huge, optimizer, precision: f32, seed: 0, microBatchSize: 8 };
    const batch = moons(8).batch(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7)) as DatasetBatch;
    const [loss, finite] = await ops.read(enqueueStep(context, state, batch).report);
    expect([Number.isFinite(loss), finite]).toEqual([true, Number.POSITIVE_INFINITY]);
    expect(await findNonFinite(context, state, batch)).toBeUndefined();
    const { result } = await outcome({ ...base(), model: huge, optimizer });
    expect(result.status).toBe('finished');
  });
});

/** Follows the signs of gradients, so that no size of them can spoil the weights. */
function signDescent(): Optimizer {
  const same = (ops: Parameters<Optimizer['draw']>[0], state: Parameters<Optimizer['draw']>[1]) =>
    Object.fromEntries(Object.entries(state.tensors).map(([name, x]) => [name.slice(0, -2), ops.reshape(x, x.shape)]));
  return {
    name: 'signDescent',
    samples: 1,
    init: async (ops, weights) => ({
      step: 0,
      tensors: Object.fromEntries(Object.entries(weights).map(([name, x]) => [`${name}/w`, ops.reshape(x, x.shape)])),
    }),
    draw: same,
    weights: same,
    update: (ops, state, [pass]) => ({
      step: state.step + 1,
      tensors: Object.fromEntries(
        Object.entries(state.tensors).map(([name, x]) => [
          name,
          ops.subtract(x, ops.multiply(ops.sign(pass!.gradients[name.slice(0, -2)]!), 0.01)),
        ]),
      ),
    }),
  };
}

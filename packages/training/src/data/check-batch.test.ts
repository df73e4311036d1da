import { runInNewContext } from 'node:vm';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, isLmdError, type Model, sgd } from '@lmd/core';
import { gpt2 } from '@lmd/models';
import { describe, expect, it } from 'vitest';
import { base, outcome, rejection } from '../../test/small-run.js';
import { f32, moons } from '../../test/tiny-mlp.js';
import { arrayDataset, type Dataset, evaluate, lossOf, train } from '../index.js';

/** A data set that gives one batch, whatever it is asked for. */
const giving = (batch: unknown, rest: Partial<Dataset> = {}): Dataset => ({
  ...{ name: 'odd', size: 4, inputShape: [2] },
  ...rest,
  batch: () => batch as never,
});

const inputs = { data: Float32Array.of(0.5, -0.25, 0.75, 1.5, 0, 1, 2, 3), shape: [4, 2], dtype: 'f32' };
const labels = { data: Int32Array.of(0, 1, 0, 1), shape: [4] };
const foreign = (text: string) => runInNewContext(text) as never;

const trainOn = (dataset: Dataset) => outcome({ ...base(), batchSize: 4, data: { train: dataset } });
const evaluateOn = (dataset: Dataset, model: Model = base().model, batchSize = 4) => {
  const ops = createOperations(createReferenceBackend());
  return evaluate({ ops, model, weights: model.initialize(ops, 0), dataset, precision: f32, batchSize });
};

describe('arrayDataset of other arrays', () => {
  const values = [0.5, -0.25, 0.75, 1.5];
  const batchOf = (array: unknown) =>
    arrayDataset({ name: 'a', inputs: array as never, inputShape: [2], labels: [0, 1], classes: 2 }).batch(
      Int32Array.of(0, 1),
    );

  it.each([
    ['Float32Array', Float32Array.from(values)],
    ['Float64Array', Float64Array.from(values)],
    ['a plain array', values],
    ['a Float32Array of another realm', foreign('Float32Array.of(0.5, -0.25, 0.75, 1.5)')],
    ['a plain array of another realm', foreign('[0.5, -0.25, 0.75, 1.5]')],
  ])('keeps the values of %s as f32', async (_, array) => {
    const { inputs: made } = await batchOf(array);
    expect([made.dtype, made.data]).toEqual(['f32', Float32Array.from(values)]);
    expect(made.data).toBeInstanceOf(Float32Array);
  });

  it.each([
    ['Int32Array', Int32Array.of(-3, 7, 0, 2147483647)],
    ['Int32Array of another realm', foreign('Int32Array.of(-3, 7, 0, 2147483647)')],
    ['Uint8Array', Uint8Array.of(255, 7, 0, 1)],
    ['Int16Array', Int16Array.of(-3, 7, 0, 1)],
    ['Uint32Array', Uint32Array.of(3, 7, 0, 2147483647)],
  ])('keeps the values of %s as i32', async (_, array: ArrayLike<number>) => {
    const { inputs: made } = await batchOf(array);
    expect([made.dtype, made.data]).toEqual(['i32', Int32Array.from(array)]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['a Uint32Array beyond i32', Uint32Array.of(1, 4000000000, 0, 0), 'DATA_CORRUPT', /inputs\[1\] is 4000000000/],
    ['numbers beyond f32', Float64Array.of(1, 2, 1e300, 0), 'DATA_CORRUPT', /inputs\[2\] is 1e\+300/],
    ['an array of strings', ['1', '2', '3', '4'], 'DATA_CORRUPT', /inputs\[0\] is 1\./],
    ['big integers', BigInt64Array.of(1n, 2n, 3n, 4n), 'INVALID_ARGUMENT', /inputs is a BigInt64Array/],
    ['a buffer', new ArrayBuffer(16), 'INVALID_ARGUMENT', /inputs is an ArrayBuffer/],
    ['nothing', undefined, 'INVALID_ARGUMENT', /inputs is missing/],
  ])('refuses %s', async (_, array, code, message) => {
    const error = await rejection((async () => batchOf(array))());
    expect([isLmdError(error) && error.code, String(error)]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('what a data set gives', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['nothing', undefined, 'INVALID_ARGUMENT', /"odd" returned undefined for a batch\. .*\{ inputs, labels \}/],
    [
      'bare labels',
      { inputs, labels: labels.data },
      'INVALID_ARGUMENT',
      /returned Int32Array for labels\. .*\{ data, shape \}/,
    ],
    [
      'bare inputs',
      { inputs: inputs.data, labels },
      'INVALID_ARGUMENT',
      /returned Float32Array for inputs\. .*\{ data, shape, dtype \}/,
    ],
    ['no labels', { inputs }, 'INVALID_ARGUMENT', /returned undefined for labels/],
    ['labels without a shape', { inputs, labels: { data: labels.data } }, 'INVALID_ARGUMENT', /for labels/],
    [
      'an unknown dtype',
      { inputs: { ...inputs, dtype: 'f16' }, labels },
      'INVALID_ARGUMENT',
      /returned f16 for the dtype of inputs/,
    ],
    [
      'a fraction as label',
      { inputs, labels: { ...labels, data: [0, 1, 0.5, 1] } },
      'DATA_CORRUPT',
      /labels of example \d hold 0\.5/,
    ],
    [
      'labels that wrap round',
      { inputs, labels: { ...labels, data: [0, 1, 2 ** 32, 1] } },
      'DATA_CORRUPT',
      /hold 4294967296/,
    ],
    [
      'the wrong number of examples',
      { inputs, labels: { data: Int32Array.of(0), shape: [1] } },
      'SHAPE_MISMATCH',
      /labels of shape \[1\]/,
    ],
  ])('is refused where it is %s', async (_, batch, code, message) => {
    for (const run of [trainOn, evaluateOn]) {
      const error = await rejection(run(giving(batch)));
      expect([isLmdError(error) && error.code, String(error)]).toEqual([code, expect.stringMatching(message)]);
    }
  });

  it('trains to the same bits from plain arrays, wider ones and those of another realm', async () => {
    const expected = (await trainOn(giving({ inputs, labels }))).tensors;
    for (const [numbers, classes] of [
      [[...inputs.data], [...labels.data]],
      [Float64Array.from(inputs.data), Uint8Array.from(labels.data)],
      [foreign('Float32Array.of(0.5, -0.25, 0.75, 1.5, 0, 1, 2, 3)'), foreign('Int32Array.of(0, 1, 0, 1)')],
    ]) {
      const batch = { inputs: { ...inputs, data: numbers }, labels: { ...labels, data: classes } };
      expect((await trainOn(giving(batch))).tensors).toEqual(expected);
    }
  });

  it.each<[unknown, RegExp]>([
    [undefined, /data\.train is not a data set/],
    [{ name: 'x', size: 3 }, /data\.train is not a data set/],
    [{ ...moons(4), size: 2.5 }, /data\.train\.size is 2\.5/],
    [{ ...moons(4), name: undefined }, /data\.train\.name is undefined/],
  ])('is refused before any work where it is no data set', async (dataset, message) => {
    const error = await rejection(train({ ...base(), data: { train: dataset as Dataset } }));
    expect([isLmdError(error) && error.code, String(error)]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringMatching(message),
    ]);
  });
});

describe('labels and tokens that the model has no class for', () => {
  const labelled = (values: number[], classes?: number) =>
    giving(
      {
        inputs: { ...inputs, data: new Float32Array(2 * values.length), shape: [values.length, 2] },
        labels: { data: Int32Array.from(values), shape: [values.length] },
      },
      { size: values.length, ...(classes === undefined ? {} : { classes }) },
    );
  const logits = (classes: number): Model => ({
    name: 'logits',
    parameters: { w: { shape: [2, classes] } },
    initialize: (ops) => ({ w: ops.full([2, classes], 0.5) }),
    forward: (ops, { w }, x) => ops.matmul(x, w!),
  });
  const both = (dataset: Dataset, model: Model, size: number) => [
    train({ ...base(), optimizer: sgd(), model, batchSize: size, steps: 1, data: { train: dataset } }),
    evaluateOn(dataset, model, size),
  ];

  it.each<[string, Dataset, Model, RegExp]>([
    [
      'labels 0 to 5 of 6 classes, five logits',
      labelled([0, 1, 2, 3, 4, 5], 6),
      logits(5),
      /example \d is 5, but the model has 5 classes/,
    ],
    [
      'labels 1 to 3, three logits',
      labelled([1, 2, 3, 1, 2, 3]),
      logits(3),
      /is 3, but the model has 3 classes.*0 to 2/,
    ],
    [
      'labels above the classes of the data set',
      labelled([1, 2, 3, 1, 2, 3], 3),
      logits(9),
      /is 3, but the data set has 3 classes/,
    ],
  ])('are named: %s', async (_, dataset, model, message) => {
    for (const run of both(dataset, model, 6)) {
      const error = await rejection(run);
      expect([isLmdError(error) && error.code, String(error)]).toEqual([
        'DATA_CORRUPT',
        expect.stringMatching(message),
      ]);
    }
  });

  it('are named: token 25 of GPT-2 with a vocabulary of 20', async () => {
    const model = gpt2({ vocabularySize: 20, contextLength: 4, width: 8, depth: 1, heads: 2 });
    const tokens = { data: Int32Array.of(1, 2, 3, 25, 4, 5), shape: [2, 3], dtype: 'i32' };
    const dataset = giving(
      { inputs: tokens, labels: { data: Int32Array.of(2, 3, 4, 4, 5, 6), shape: [2, 3] } },
      { size: 2 },
    );
    for (const run of both(dataset, model, 2)) {
      const error = await rejection(run);
      expect([isLmdError(error) && error.code, String(error)]).toEqual([
        'DATA_CORRUPT',
        expect.stringMatching(/example \d has the token 25, but the model has a vocabulary of 20/),
      ]);
    }
  });
});

describe('negative labels', () => {
  /** The logits are a weight at each of 2 × 2 positions. */
  const model: Model = {
    name: 'bias',
    parameters: { b: { shape: [3] } },
    initialize: (ops) => ({ b: ops.fromData([0.1, 0.2, 0.3]) }),
    forward: (ops, { b }, x) => ops.broadcastTo(b!, [...x.shape, 3]),
  };
  const padded = (values: readonly number[]): Dataset => ({
    name: 'padded',
    size: 2,
    inputShape: [2],
    classes: 3,
    batch: (indices) => ({
      inputs: { data: new Float32Array(indices.length * 2), shape: [indices.length, 2], dtype: 'f32' },
      labels: {
        data: Int32Array.from([...indices].flatMap((index) => values.slice(2 * index, 2 * index + 2))),
        shape: [indices.length, 2],
      },
    }),
  });

  it.each([2, 1])(
    'are left out, the mean over the rest of the whole batch, in micro-batches of %s',
    async (microBatchSize) => {
      for (const negative of [-100, -1]) {
        const ops = createOperations(createReferenceBackend());
        const result = await train({
          ops,
          model,
          optimizer: sgd({ learningRate: 1, momentum: 0 }),
          precision: f32,
          data: { train: padded([0, negative, 1, 2]) },
          seed: 0,
          steps: 1,
          batchSize: 2,
          microBatchSize,
        });
        expect(result.loss).toBeCloseTo(1.1019428, 6);
        const b = await ops.read(result.weights.b!);
        [0.1327237, 0.2011083, 0.2661679].forEach((value, index) => {
          expect(b[index]).toBeCloseTo(value, 6);
        });
        result.dispose();
      }
    },
  );

  it('are left out where a whole micro-batch is of them', async () => {
    const options = (microBatchSize: number) => ({
      ...base(),
      model,
      optimizer: sgd({ learningRate: 1, momentum: 0 }),
      data: { train: padded([-100, -100, 1, 2]) },
      steps: 1,
      batchSize: 2,
      microBatchSize,
    });
    const [whole, parts] = [await outcome(options(2)), await outcome(options(1))];
    expect(parts.result.loss).toBeCloseTo(whole.result.loss!, 6);
    expect(parts.tensors.b!.data[0]).toBeCloseTo(whole.tensors.b!.data[0]!, 6);
  });

  it('are left out of loss, accuracy and calibration in an evaluation, whatever the batches', async () => {
    for (const batchSize of [2, 1]) {
      const ops = createOperations(createReferenceBackend());
      const { loss, accuracy, calibration } = await evaluate({
        ...{ ops, model, weights: model.initialize(ops, 0), dataset: padded([0, -100, -100, 2]) },
        ...{ precision: f32, batchSize, calibrationBins: 4 },
      });
      expect(loss).toBeCloseTo(1.1019428, 6);
      expect(accuracy).toBe(0.5);
      expect(calibration!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    }
  });

  it("are left out by lossOf in a loop of one's own", async () => {
    const ops = createOperations(createReferenceBackend());
    const rows = ops.fromData([0.1, 0.2, 0.3, 9, 9, 9], [2, 3]);
    const [loss] = await ops.read(lossOf(ops, rows, ops.fromData(Int32Array.of(1, -100), [2])));
    expect(loss).toBeCloseTo(1.1019428, 6);
    expect(await ops.read(lossOf(ops, rows, ops.fromData(Int32Array.of(-1, -100), [2])))).toEqual(Float32Array.of(0));
  });

  it('are refused where there is no other', async () => {
    for (const run of [
      outcome({ ...base(), model, batchSize: 2, data: { train: padded([-1, -1, -1, -1]) } }),
      evaluateOn(padded([-1, -1, -1, -1]), model, 2),
    ]) {
      const error = await rejection(run as Promise<unknown>);
      expect([isLmdError(error) && error.code, String(error)]).toEqual([
        'DATA_CORRUPT',
        expect.stringMatching(/all labels .*are negative/),
      ]);
    }
  });
});

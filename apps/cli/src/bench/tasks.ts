import { valueAndGradients } from '@lmd/autograd';
import { adamw, type EagerOperations, lmd, type Optimizer, parameterGroups, type Tensor } from '@lmd/core';
import { lmdParameter, precisionPreset, vit, vitPreset } from '@lmd/models';
import { formatNamed } from '@lmd/mx-formats';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { tensorflowAdam, tensorflowProduct } from './tensorflow.js';
import type { TimedRun } from './timed-run.js';

/** One timed operation. */
export interface BenchTask {
  readonly name: string;
  readonly unit: 'GFLOP/s' | 'GB/s' | 'M weights/s' | 'images/s';
  /** Units of work per run. */
  readonly work: number;
  /** Creates the inputs, and returns the run, whose result is then read and freed. */
  prepare(ops: EagerOperations): Promise<() => Tensor>;
  /** The same operation of TensorFlow.js itself, if it has one. */
  readonly beside?: (tf: typeof Tfjs) => TimedRun;
}

const weights = 2 ** 20;
const key = { seed: 1, stream: 1, step: 0, sample: 0 };

function product(m: number, k: number, n: number, transposeB = false): BenchTask {
  return {
    name: `matrix product ${m}×${k}×${n}${transposeB ? ', transposed' : ''}`,
    unit: 'GFLOP/s',
    work: (2 * m * k * n) / 1e9,
    async prepare(ops) {
      const a = ops.randomNormal([m, k], key);
      const b = ops.randomNormal(transposeB ? [n, k] : [k, n], key);
      return () => ops.matmul(a, b, { transposeB });
    },
    beside: (tf) => tensorflowProduct(tf, m, k, n, transposeB),
  };
}

function elementwise(name: string, passes: number, run: (ops: EagerOperations, x: Tensor) => Tensor): BenchTask {
  return {
    name: `${name}, 2^20 values`,
    unit: 'GB/s',
    work: (4 * passes * weights) / 1e9,
    async prepare(ops) {
      const x = ops.randomNormal([weights / 256, 256], key);
      return () => run(ops, x);
    },
  };
}

/** A draw and an update of 2^20 weights. */
function update(name: string, optimizer: Optimizer): BenchTask {
  return {
    name: `${name}, draw and update of 2^20 weights`,
    unit: 'M weights/s',
    work: weights / 1e6,
    async prepare(ops) {
      const gradient = ops.randomNormal([1024, 1024], { ...key, stream: 2 });
      let state = await optimizer.init(ops, { w: ops.randomNormal([1024, 1024], key) });
      return () => {
        const drawKey = { seed: 1, step: state.step, sample: 0 };
        const drawn = optimizer.draw(ops, state, drawKey);
        const next = optimizer.update(ops, state, [{ key: drawKey, gradients: { w: gradient } }]);
        for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
        ops.dispose(state.tensors);
        state = next;
        return drawn.w!;
      };
    },
  };
}

function trainingStep(name: string, optimizer: Optimizer, format: string): BenchTask {
  const model = vit(vitPreset('tiny'));
  const batch = 32;
  return {
    name: `training step of a ViT 64×2, ${name}`,
    unit: 'images/s',
    work: batch,
    async prepare(ops) {
      const images = ops.randomNormal([batch, 28, 28, 1], key);
      const labels = ops.fromData(Int32Array.from({ length: batch }, (_, i) => i % 10));
      let state = await optimizer.init(ops, model.initialize(ops, 1));
      return () => {
        const drawKey = { seed: 1, step: state.step, sample: 0 };
        const drawn = optimizer.draw(ops, state, drawKey);
        const { value, gradients } = valueAndGradients(ops, drawn, (recording, drawnWeights) => {
          const context = { training: true, precision: precisionPreset(format), key: drawKey };
          return recording.mean(
            recording.crossEntropy(model.forward(recording, drawnWeights, images, context), labels),
          );
        });
        const next = optimizer.update(ops, state, [{ key: drawKey, gradients }]);
        for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
        ops.dispose(state.tensors);
        state = next;
        return value;
      };
    },
  };
}

const lmdOnMatrices = parameterGroups([
  { match: lmdParameter, optimizer: lmd() },
  { match: '*', optimizer: adamw() },
]);

/** The tasks of `lmd bench`: parts of a training step, and whole steps. */
export const benchTasks: readonly BenchTask[] = [
  product(512, 512, 512),
  product(512, 512, 512, true),
  product(1024, 192, 768),
  elementwise('sum of two tensors', 3, (ops, x) => ops.add(x, x)),
  elementwise('softmax', 2, (ops, x) => ops.softmax(x)),
  elementwise('GELU', 2, (ops, x) => ops.gelu(x)),
  elementwise('rounding to MXFP6', 2, (ops, x) => ops.fakeQuantize(x, { format: formatNamed('mxfp6_e3m2'), axis: 1 })),
  elementwise('rounding to MXFP4', 2, (ops, x) => ops.fakeQuantize(x, { format: formatNamed('mxfp4_e2m1'), axis: 1 })),
  elementwise('normal noise', 1, (ops, x) => ops.randomNormal(x.shape, key)),
  { ...update('AdamW', adamw()), beside: (tf) => tensorflowAdam(tf, 1024) },
  update('LMD', lmd()),
  trainingStep('AdamW, FP32', adamw(), 'fp32'),
  trainingStep('LMD, MXFP6', lmdOnMatrices, 'mxfp6_e3m2'),
];

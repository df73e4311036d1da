import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { gpt2, lmdParameter, precisionPreset, vit, vitPreset } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { race, report } from '../lib/report.mjs';
import { labelsOf, startOf, stepTask } from './training.mjs';

/** [name, rows, terms, columns] of forward products; rows are batch × tokens. */
const layers = [
  ['ViT-Ti, qkv', 8 * 197, 192, 576],
  ['ViT-Ti, mlp up', 8 * 197, 192, 768],
  ['ViT-Ti, mlp down', 8 * 197, 768, 192],
  ['ViT-S, mlp up', 8 * 197, 384, 1536],
  ['ViT-S, mlp down', 8 * 197, 1536, 384],
  ['GPT-2 small, mlp up', 1024, 768, 3072],
  ['GPT-2 small, mlp down', 1024, 3072, 768],
];
const smallLayers = [['small', 40, 64, 24]];
const measured = ['mxfp4_e2m1', 'mxfp6_e2m3', 'mxint8', 'mxfp6_e3m2', 'nvfp4'];
/** Target speed relative to the FP32 product, including the encoding of activations. */
const productTarget = 1.1;
/** Target speeds relative to a step of AdamW in FP32, with BF16 gradients and with those of block formats. */
const stepTargets = { forward: 1, 'both ways': 1.2 };

const randoms = (size) => Float32Array.from({ length: size }, () => Math.random() - 0.5);

/**
 * Products of encoded weights with activations that are encoded each time, compared with the FP32 product of the same
 * backend.
 *
 * @param {{ cpu: import('@lmd/core').Backend, ending?: string }} of `ending`, of the rows' names
 * @param {number} rounds
 * @param {boolean} quick
 */
export async function benchBlockProducts({ cpu, ending = '' }, rounds, quick) {
  const ops = createOperations(cpu);
  for (const [layer, m, k, n] of /** @type {[string, number, number, number][]} */ (quick ? smallLayers : layers)) {
    const x = ops.fromData(randoms(m * k), [m, k]);
    const w = ops.fromData(randoms(k * n), [k, n]);
    for (const name of measured) {
      const format = formats[name];
      const weights = ops.encodeOperand(w, { format, axis: 0 });
      const least = await race(
        {
          exact: () =>
            ops.scope(() => {
              ops.blockMatmul(ops.encodeOperand(x, { format, axis: 1 }), weights);
            }),
          fp32: () => ops.dispose(ops.matmul(x, w)),
        },
        2 * rounds,
      );
      ops.dispose(weights.tensors);
      const speed = (2 * m * k * n) / least.exact / 1e6;
      const title = `${layer}, forward in ${name}${ending}`;
      const target = ['mxfp4_e2m1', 'mxfp6_e2m3', 'mxint8'].includes(name) ? productTarget : null;
      report(title, speed, 'Gop/s', 'the product in FP32', least.fp32 / least.exact, target);
    }
    ops.dispose([x, w]);
  }
}

/** A text in which each token is determined by the previous one, and initial weights. */
async function textOf(backend, model, batch) {
  const ops = createOperations(backend);
  const { contextLength, vocabularySize } = model.config;
  const weights = model.initialize(ops, 1);
  const arrays = {};
  for (const [name, tensor] of Object.entries(weights)) arrays[name] = [await ops.read(tensor), tensor.shape];
  ops.dispose(weights);
  const tokens = Int32Array.from({ length: batch * contextLength + 1 }, (_, i) => (i * 7919) % vocabularySize);
  return { start: { ...arrays, inputs: [tokens.slice(0, -1), [batch, contextLength]] }, labels: tokens.slice(1) };
}

/** Training steps with products of block formats, forward or forward and backward, compared with AdamW in FP32. */
export async function benchBlockTraining({ cpu }, rounds, quick) {
  const first = adamw({ learningRate: 1e-3 });
  const matrices = parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 1e-3 }) },
    { match: () => true, optimizer: adamw({ learningRate: 1e-3 }) },
  ]);
  const language = gpt2(
    quick
      ? { vocabularySize: 64, contextLength: 16, width: 16, depth: 1, heads: 2 }
      : { vocabularySize: 512, contextLength: 128, width: 384, depth: 6, heads: 6 },
  );
  const image = vit(vitPreset('Ti/4'));
  /** @type {[string, import('@lmd/core').Model, { start: object, labels: Int32Array }][]} */
  const tasks = [
    [`GPT-2 ${language.config.depth}×${language.config.width}, batch 4`, language, await textOf(cpu, language, 4)],
  ];
  for (const batch of quick ? [] : [8, 64]) {
    const start = await startOf(cpu, image, batch, [32, 32, 3]);
    tasks.push([`ViT-Ti/4, batch ${batch}`, image, { start, labels: labelsOf(batch) }]);
  }
  for (const [modelName, model, { start, labels }] of tasks) {
    for (const name of ['mxfp6_e2m3', 'mxfp4_e2m1']) {
      const forward = precisionPreset(name);
      const operand = { format: formats[name] };
      const both = { ...forward, backward: { weights: operand, activations: operand, gradients: operand } };
      for (const [where, precision] of /** @type {const} */ ([
        ['forward', forward],
        ['both ways', both],
      ])) {
        const least = await race(
          {
            step: await stepTask(cpu, model, start, labels, matrices, precision),
            fp32: await stepTask(cpu, model, start, labels, first, precisionPreset('fp32')),
          },
          rounds,
        );
        const title = `training step, ${modelName}, LMD, ${name} ${where}`;
        report(title, least.step, 'ms', 'AdamW in FP32', least.fp32 / least.step, stepTargets[where]);
      }
    }
  }
}

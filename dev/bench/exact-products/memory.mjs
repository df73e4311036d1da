import { valueAndGradients } from '@lmd/autograd';
import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { gpt2, gpt2Preset, lmdParameter, precisionPreset } from '@lmd/models';
import { report } from '../lib/report.mjs';

const precisions = { fp32: 'FP32', mxfp4_e2m1: 'MXFP4', mxfp6_e2m3: 'MXFP6', mxint8: 'MXINT8' };
const mebibyte = 2 ** 20;

/** Peak bytes of all tensors in a step of LMD from a state, which is not changed. */
async function peakOfStep(ops, model, tokens, optimizer, state, precision) {
  const key = { seed: 1, step: 0, sample: 0 };
  ops.resetPeakMemory();
  const loss = ops.scope(() => {
    const drawn = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, drawn, (recording, weights) => {
      const logits = model.forward(recording, weights, tokens, { training: true, precision, key });
      const rows = recording.reshape(logits, [-1, logits.shape.at(-1)]);
      return recording.mean(recording.crossEntropy(rows, recording.reshape(tokens, [-1])));
    });
    ops.dispose(drawn);
    optimizer.update(ops, state, [{ key, gradients }]);
    return value;
  });
  await ops.read(loss);
  ops.dispose(loss);
  return ops.memory().peakBytes;
}

/**
 * Peak memory of all tensors in a training step of LMD, where the backward pass takes weights and activations from the
 * codes of the forward pass, beside the same step in FP32. Bytes, not times: the load of the machine does not matter.
 */
export async function benchMemory(backend, quick) {
  const ops = createOperations(backend);
  const model = gpt2(gpt2Preset(quick ? 'char' : 'nano'));
  const { depth, width, contextLength, vocabularySize } = model.config;
  const [batch, length] = [quick ? 1 : 4, quick ? 16 : contextLength];
  const optimizer = parameterGroups([
    { match: lmdParameter, optimizer: lmd() },
    { match: '*', optimizer: adamw() },
  ]);
  const initial = model.initialize(ops, 1);
  const state = await optimizer.init(ops, initial);
  ops.dispose(initial);
  const tokens = ops.fromData(
    Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % vocabularySize),
    [batch, length],
  );
  let plain;
  for (const [name, label] of Object.entries(precisions)) {
    const peak = await peakOfStep(ops, model, tokens, optimizer, state, precisionPreset(name));
    const title = `peak memory of a step of LMD, GPT-2 ${depth}×${width}, batch ${batch} of ${length} tokens, ${label}`;
    const [peer, ratio] = plain === undefined ? [null, null] : ['FP32', plain / peak];
    report(title, peak / mebibyte, 'MiB', peer, ratio);
    plain ??= peak;
  }
  ops.dispose([tokens, ...Object.values(state.tensors)]);
}

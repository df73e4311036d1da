import { createCpuBackend } from '@lmd/backends/cpu';
import { precisionPreset } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { report } from '../lib/report.mjs';
import { openSide, promptOf } from './generation.mjs';

const measured = { mxfp4_e2m1: 'MXFP4', mxfp6_e2m3: 'MXFP6', mxint8: 'MXINT8' };
const key = { seed: 0, step: 0, sample: 0 };

/** Bytes that the cache holds for a token of the prompt, as the backend counts them. */
function bytesPerToken({ ops, weights }, model, cacheFormat) {
  const prompt = promptOf(model);
  const tokens = ops.fromData(Int32Array.from(prompt), [1, prompt.length]);
  const before = ops.memory().bytes;
  const step = model.prefill(ops, weights, tokens, { precision: precisionPreset('fp32'), key, cacheFormat });
  ops.dispose(step.logits);
  const bytes = (ops.memory().bytes - before) / prompt.length;
  ops.dispose(step.cache);
  ops.dispose(tokens);
  return bytes;
}

/**
 * Generation with keys and values in block formats, on a backend of its own, in turns with a cache in FP32: tokens a
 * second, as a multiple of FP32 in the same run, and the bytes that the cache holds for each token.
 */
export async function benchCaches(model, name, { maxTokens, rounds, threads }) {
  const backend = await createCpuBackend({ threads });
  try {
    const side = openSide(backend, model);
    const given = { weights: side.weights };
    await side.run('fp32', Math.min(maxTokens, 8));
    for (const [format, label] of Object.entries(measured)) {
      const cacheFormat = formats[format];
      const [dense, encoded] = [[], []];
      for (let round = 0; round < rounds; round++) {
        dense.push((await side.run('fp32', maxTokens, given)).seconds);
        encoded.push((await side.run('fp32', maxTokens, { ...given, cacheFormat })).seconds);
      }
      const [slower, seconds] = [dense, encoded].map((all) => Math.min(...all));
      const [all, bytes] = [undefined, cacheFormat].map((one) => bytesPerToken(side, model, one));
      const size = `${bytes} bytes a token of the cache, ${(bytes / all).toFixed(2)} of FP32's`;
      report(`${name}, cache in ${label}, ${size}`, maxTokens / seconds, 'tokens/s', 'cache in FP32', slower / seconds);
    }
  } finally {
    backend.close();
  }
}

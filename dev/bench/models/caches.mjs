import { createCpuBackend } from '@lmd/backends/cpu';
import { cacheBytesPerToken, precisionPreset } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { report } from '../lib/report.mjs';
import { openSide } from './generation.mjs';

const measured = { mxfp4_e2m1: 'MXFP4', mxfp6_e2m3: 'MXFP6', mxint8: 'MXINT8' };
const context = { precision: precisionPreset('fp32'), key: { seed: 0, step: 0, sample: 0 } };
/** Positions in the cache, as far as the model has them. */
const lengths = [512, 1000];
/** Tokens in one measurement, each after the same cache. */
const steps = 4;

/** A cache of `length` positions, and a function that computes `steps` tokens after it, in seconds. */
function openCache({ ops, weights }, backend, model, length, cacheFormat) {
  const options = { ...context, cacheFormat };
  const tokens = (count) =>
    ops.fromData(
      Int32Array.from({ length: count }, (_, i) => (i * 7919) % model.config.vocabularySize),
      [1, count],
    );
  const [prompt, next] = [tokens(length), tokens(1)];
  const { logits, cache } = model.prefill(ops, weights, prompt, options);
  ops.dispose([logits, prompt]);
  return {
    dispose: () => ops.dispose([next, ...Object.values(cache)]),
    run() {
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        const step = model.decode(ops, weights, next, cache, options);
        backend.readSync(step.logits);
        ops.dispose([step.logits, ...Object.values(step.cache)]);
      }
      return (performance.now() - start) / 1000;
    },
  };
}

/**
 * Tokens a second after a cache of keys and values in block formats, on a backend of its own, in turns with a cache in
 * FP32: as a multiple of FP32 in the same run, and the bytes that the cache holds for each position.
 */
export async function benchCaches(model, { rounds, threads }) {
  const backend = await createCpuBackend({ threads });
  const { contextLength, depth, width } = model.config;
  try {
    const side = openSide(backend, model);
    const bytesOf = (format) => cacheBytesPerToken(side.ops, model.config, format);
    for (const length of lengths.filter((one, i) => i === 0 || one < contextLength)) {
      const positions = Math.min(length, contextLength - 1);
      for (const [format, label] of Object.entries(measured)) {
        const caches = [undefined, formats[format]].map((one) => openCache(side, backend, model, positions, one));
        const seconds = [Infinity, Infinity];
        for (let round = 0; round < 5 * rounds + 1; round++) {
          for (const [i, { run }] of caches.entries()) seconds[i] = Math.min(seconds[i], run());
        }
        for (const { dispose } of caches) dispose();
        const size = `${bytesOf(formats[format])} bytes a position, ${(bytesOf(formats[format]) / bytesOf()).toFixed(2)} of FP32's`;
        const title = `generation, GPT-2 ${depth}×${width}, after ${positions} positions, cache in ${label}, ${size}`;
        report(title, steps / seconds[1], 'tokens/s', 'cache in FP32', seconds[0] / seconds[1], null, {
          runtime: backend.device,
        });
        console.error(`${title}: ${(seconds[0] / seconds[1]).toFixed(2)} × FP32`);
      }
    }
  } finally {
    backend.close();
  }
}

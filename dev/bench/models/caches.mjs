import { createCpuBackend } from '@lmd/backends/cpu';
import { cacheBytesPerToken, gpt2, gpt2Preset, precisionPreset } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { report } from '../lib/report.mjs';
import { openSide } from './generation.mjs';

const measured = { mxfp4_e2m1: 'MXFP4', mxfp6_e2m3: 'MXFP6', mxint8: 'MXINT8' };
const context = { precision: precisionPreset('fp32'), key: { seed: 0, step: 0, sample: 0 } };
/** Of every model. */
const contextLength = 1024;
/** Positions in the cache, as far as the model has them. */
const lengths = [512, contextLength - 1];
/** Tokens that are timed by turns, each after the same cache. */
const turns = 50;

/** A cache of `length` positions, and a function that computes a token after it and gives the seconds. */
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
      const step = model.decode(ops, weights, next, cache, options);
      backend.readSync(step.logits);
      ops.dispose([step.logits, ...Object.values(step.cache)]);
      return (performance.now() - start) / 1000;
    },
  };
}

/**
 * Tokens a second after a cache of keys and values in block formats, on a backend of its own, in turns with a cache in
 * FP32: as a multiple of FP32 in the same run, and the bytes that the cache holds for each position.
 */
export async function benchCaches({ presets, rounds, threads, quick }) {
  for (const preset of presets) {
    const model = gpt2(gpt2Preset(preset, quick ? {} : { contextLength }));
    await benchModel(model, { rounds, threads });
  }
}

async function benchModel(model, { rounds, threads }) {
  const backend = await createCpuBackend({ threads });
  const { depth, width } = model.config;
  try {
    const side = openSide(backend, model);
    const bytesOf = (format) => cacheBytesPerToken(side.ops, model.config, format);
    const room = model.config.contextLength - 1;
    for (const positions of new Set(lengths.map((length) => Math.min(length, room)))) {
      for (const [format, label] of Object.entries(measured)) {
        const caches = [undefined, formats[format]].map((one) => openCache(side, backend, model, positions, one));
        const seconds = [Infinity, Infinity];
        for (let round = 0; round < turns * rounds; round++) {
          for (const [i, { run }] of caches.entries()) seconds[i] = Math.min(seconds[i], run());
        }
        for (const { dispose } of caches) dispose();
        const size = `${bytesOf(formats[format])} bytes a position, ${(bytesOf(formats[format]) / bytesOf()).toFixed(2)} of FP32's`;
        const title = `generation, GPT-2 ${depth}×${width}, after ${positions} positions, cache in ${label}, ${size}`;
        report(title, 1 / seconds[1], 'tokens/s', 'cache in FP32', seconds[0] / seconds[1], null, {
          runtime: backend.device,
        });
        console.error(`${title}: ${(seconds[0] / seconds[1]).toFixed(2)} × FP32`);
      }
    }
  } finally {
    backend.close();
  }
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { exportPretrained, generate, gpt2, gpt2Preset, packWeights, precisionPreset } from '@lmd/models';
import { formatNamed } from '@lmd/mx-formats';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';
import { python, pythonHas } from '../lib/python.mjs';
import { report } from '../lib/report.mjs';

const formats = { fp32: 'FP32', mxfp6_e3m2: 'MXFP6' };
/** Packed weights with f32 activations. */
const packedFormats = { mxfp4_e2m1: 'MXFP4', mxfp6_e2m3: 'MXFP6', mxint8: 'MXINT8' };
/** Tokens that the model has. */
export const promptOf = ({ config }) =>
  Array.from({ length: 16 }, (_, i) => ((i * 7919 + 11) % 1000) % config.vocabularySize);
const script = fileURLToPath(new URL('../../parity/generation.py', import.meta.url));

/** Random weights on a backend and a function that generates with them; bit-identical on each backend. */
export function openSide(backend, model) {
  const ops = createOperations(backend);
  const initial = model.initialize(ops, 1);
  // Larger than at the start of training: otherwise all tokens are about equally likely, and rounding decides.
  const weights = Object.fromEntries(Object.entries(initial).map(([name, x]) => [name, ops.multiply(x, 2)]));
  ops.dispose(initial);
  return {
    ops,
    weights,
    async run(format, maxTokens, given = { weights }) {
      const options = { ops, model, ...given, maxTokens, temperature: 0, precision: precisionPreset(format) };
      const tokens = [];
      const start = performance.now();
      for await (const token of generate({ ...options, prompt: promptOf(model) })) {
        tokens.push(token);
      }
      return { tokens, seconds: (performance.now() - start) / 1000 };
    },
  };
}

/**
 * Bytes a second at which memory is copied here, read and written bytes counted once: what a product of one row can
 * hope for.
 */
function copyBandwidth() {
  const [from, to] = [new Uint8Array(256 << 20).fill(1), new Uint8Array(256 << 20)];
  let best = Infinity;
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    to.set(from);
    best = Math.min(best, performance.now() - start);
  }
  return (from.length / best) * 1000;
}

/**
 * The same generation from packed weights, on a backend of its own, in turns with FP32: tokens a second, as a multiple
 * of FP32 in the same run; the bytes that the weights take, of those in f32; and the share of the time that reading
 * them at the speed of a copy would take.
 */
async function benchPacked(model, name, { maxTokens, rounds, threads }) {
  const backend = await createCpuBackend({ threads });
  const side = openSide(backend, model);
  const { ops, weights } = side;
  const denseBytes = backend.memory().bytes;
  const bandwidth = copyBandwidth();
  try {
    for (const [format, label] of Object.entries(packedFormats)) {
      const before = backend.memory().bytes;
      const packed = await packWeights(ops, model, weights, { format: formatNamed(format) });
      const rest = Object.values(packed.weights).reduce(
        (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1),
        0,
      );
      const bytes = backend.memory().bytes - before + rest;
      await side.run('fp32', 2, packed);
      const [dense, fast] = [[], []];
      for (let round = 0; round < rounds; round++) {
        dense.push((await side.run('fp32', maxTokens)).seconds);
        fast.push((await side.run('fp32', maxTokens, packed)).seconds);
      }
      const [slowest, seconds] = [dense, fast].map((all) => Math.min(...all));
      const title = `${name}, weights in ${label}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
      const bound = bytes / bandwidth / (seconds / maxTokens);
      const runtime = `${backend.device}; weights ${(bytes / denseBytes).toFixed(3)} of FP32's bytes; ${(100 * bound).toFixed(0)} % of the speed of a copy`;
      report(title, maxTokens / seconds, 'tokens/s', 'FP32 weights', slowest / seconds, null, { runtime });
      console.error(
        `${title}: ${(maxTokens / seconds).toPrecision(3)} tokens/s, ${(slowest / seconds).toFixed(2)} × FP32; ${runtime}`,
      );
      for (const { tensors } of Object.values(packed.packedWeights)) ops.dispose(tensors);
    }
  } finally {
    backend.close();
  }
}

/** The model and the task as files, for transformers. */
async function writeModel(folder, { ops, weights }, model, task) {
  const { config, tensors: exported } = exportPretrained(ops, model, weights);
  /** @type {Record<string, import('@lmd/safetensors').SafetensorsTensor>} */
  const tensors = {};
  for (const [name, { shape, read }] of Object.entries(exported)) tensors[name] = tensorFrom(await read(), shape);
  await writeSafetensorsFile(join(folder, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'task.json'), JSON.stringify(task));
}

function transformers(folder) {
  const { status, stdout, stderr } = spawnSync(python, [script, folder], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  throw new Error(`${python} ${script} failed:\n${stderr}`);
}

/**
 * Tokens a second of greedy generation with the cache of keys and values, on the cpu backend, beside transformers: the
 * same random weights, which transformers loads from what `exportPretrained` writes, the same prompt and number of
 * threads, in turns. In FP32 the tokens must be the same before times are compared. Then from packed weights, on one
 * thread and on `threads`, beside our own FP32. `quick` is ours alone.
 */
export async function benchGeneration({ presets, maxTokens, rounds, threads, quick }) {
  const hasPeer = !quick && pythonHas('transformers', 'torch', 'transformers');
  for (const preset of presets) {
    const model = gpt2(gpt2Preset(preset));
    const backends = [{ ending: '', backend: await createCpuBackend({ threads }) }];
    const sides = backends.map(({ ending, backend }) => ({
      ending,
      backend,
      ...openSide(backend, model),
      results: {},
    }));
    const folder = mkdtempSync(join(tmpdir(), 'lmd-generation-'));
    const peers = [];
    try {
      if (hasPeer) await writeModel(folder, sides[0], model, { prompt: promptOf(model), maxTokens, threads });
      // Warm-up: hot functions are compiled during the first tokens.
      for (const { run } of sides) await run('fp32', Math.min(maxTokens, 8));
      for (let round = 0; round < rounds; round++) {
        for (const { run, results } of sides) {
          for (const format of Object.keys(formats)) {
            results[format] = [...(results[format] ?? []), await run(format, maxTokens)];
          }
        }
        if (hasPeer) peers.push(transformers(folder));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
      for (const { backend } of sides) backend.close();
    }
    const least = (results) => Math.min(...results.map(({ seconds }) => seconds));
    const name = `generation, GPT-2 ${model.config.depth}×${model.config.width}, ${promptOf(model).length} + ${maxTokens} tokens`;
    for (const { ending, backend, results } of sides) {
      const [mine, theirs] = [results.fp32[0].tokens, peers[0]?.tokens];
      if (theirs !== undefined && mine.join() !== theirs.join()) {
        throw new Error(
          `The tokens differ, so the times cannot be compared: ${mine.join(' ')} and ${theirs.join(' ')}.`,
        );
      }
      for (const [format, label] of Object.entries(formats)) {
        const seconds = least(results[format]);
        const title = `${name}, ${label}${ending}`;
        const [peer, ratio] = hasPeer ? /** @type {const} */ (['transformers, FP32', least(peers) / seconds]) : [];
        report(title, maxTokens / seconds, 'tokens/s', peer, ratio, null, { runtime: backend.device });
        console.error(`${title}: ${(maxTokens / seconds).toPrecision(3)} tokens/s`);
      }
    }
    for (const count of new Set([1, threads])) await benchPacked(model, name, { maxTokens, rounds, threads: count });
  }
}

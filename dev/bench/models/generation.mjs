import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { exportPretrained, generate, gpt2, gpt2Preset, precisionPreset } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';
import { byOnnxruntime, openWithOnnxruntime } from '../lib/onnxruntime.mjs';
import { python, pythonHas } from '../lib/python.mjs';
import { report } from '../lib/report.mjs';

const formats = { fp32: 'FP32', mxfp6_e3m2: 'MXFP6' };
const prompt = Array.from({ length: 16 }, (_, i) => (i * 7919 + 11) % 1000);
const script = fileURLToPath(new URL('../../parity/generation.py', import.meta.url));

/** Random weights on a backend, and what generates with them. The same bits on each of ours. */
function openSide(backend, model) {
  const ops = createOperations(backend);
  const initial = model.initialize(ops, 1);
  // Wider than at the start of training: else every next token is about as likely as any other, and rounding chooses.
  const weights = Object.fromEntries(Object.entries(initial).map(([name, x]) => [name, ops.multiply(x, 2)]));
  ops.dispose(initial);
  return {
    ops,
    weights,
    async run(format, maxTokens) {
      const options = { ops, model, weights, maxTokens, temperature: 0, precision: precisionPreset(format) };
      const tokens = [];
      const start = performance.now();
      for await (const token of generate({ ...options, prompt: prompt.map((x) => x % model.config.vocabularySize) })) {
        tokens.push(token);
      }
      return { tokens, seconds: (performance.now() - start) / 1000 };
    },
  };
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
 * Tokens a second of greedy generation with the cache of keys and values, on the cpu backend, with onnxruntime's
 * products too where it is, beside transformers: the same random weights, which transformers loads from what
 * `exportPretrained` writes, the same prompt and number of threads, in turns. In FP32 the tokens must be the same
 * before times are compared. `quick` is ours alone.
 */
export async function benchGeneration({ presets, maxTokens, rounds, threads, quick }) {
  const hasPeer = !quick && pythonHas('transformers', 'torch', 'transformers');
  const engine = quick ? undefined : await openWithOnnxruntime(createCpuBackend, { threads });
  engine?.close();
  for (const preset of presets) {
    const model = gpt2(gpt2Preset(preset));
    const backends = [{ ending: '', backend: await createCpuBackend({ threads }) }];
    if (engine !== undefined) {
      const backend = await openWithOnnxruntime(createCpuBackend, { threads });
      backends.push({ ending: `, ${byOnnxruntime}`, backend });
    }
    const sides = backends.map(({ ending, backend }) => ({
      ending,
      backend,
      ...openSide(backend, model),
      results: {},
    }));
    const folder = mkdtempSync(join(tmpdir(), 'lmd-generation-'));
    const peers = [];
    try {
      if (hasPeer) await writeModel(folder, sides[0], model, { prompt, maxTokens, threads });
      // What is compiled in the first tokens is busy in the rest.
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
    const name = `generation, GPT-2 ${model.config.depth}×${model.config.width}, ${prompt.length} + ${maxTokens} tokens`;
    for (const { ending, backend, results } of sides) {
      const [mine, theirs] = [results.fp32[0].tokens, peers[0]?.tokens];
      if (theirs !== undefined && mine.join() !== theirs.join()) {
        throw new Error(`The tokens differ, so that times say nothing: ${mine.join(' ')} and ${theirs.join(' ')}.`);
      }
      for (const [format, label] of Object.entries(formats)) {
        const seconds = least(results[format]);
        const title = `${name}, ${label}${ending}`;
        const [peer, ratio] = hasPeer ? /** @type {const} */ (['transformers, FP32', least(peers) / seconds]) : [];
        report(title, maxTokens / seconds, 'tokens/s', peer, ratio, null, { runtime: backend.device });
        console.error(`${title}: ${(maxTokens / seconds).toPrecision(3)} tokens/s`);
      }
    }
  }
}

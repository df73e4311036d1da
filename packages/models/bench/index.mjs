/**
 * npm run bench -- models [--json] [--preset nano] [--tokens 100] [--rounds 3]
 *
 * Generation with the cache of keys and values, on the cpu backend beside transformers: the same random weights, which transformers loads
 * from what `exportPretrained` writes, the same prompt and greedy choice, the same number of threads, in turns. In FP32 the tokens must be
 * the same before times are compared. transformers is what python3, or the Python that LMD_PYTHON names, has
 * (`tools/parity/requirements.txt`); without it the rows have no ratio.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { exportPretrained, generate, gpt2, gpt2Preset, precisionPreset } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    preset: { type: 'string', default: 'nano' },
    tokens: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
});
const [maxTokens, rounds, threads] = [given.tokens, given.rounds, given.threads].map(Number);
const prompt = Array.from({ length: 16 }, (_, i) => (i * 7919 + 11) % 1000);

const backend = await createCpuBackend({ threads });
const ops = createOperations(backend);
const model = gpt2(gpt2Preset(given.preset));
// Wider than at the start of training: else every next token is about as likely as any other, and rounding chooses.
const weights = Object.fromEntries(
  Object.entries(model.initialize(ops, 1)).map(([name, x]) => [name, ops.multiply(x, 2)]),
);

async function ours(format) {
  const options = { ops, model, weights, prompt, maxTokens, temperature: 0, precision: precisionPreset(format) };
  const tokens = [];
  const start = performance.now();
  for await (const token of generate(options)) tokens.push(token);
  return { tokens, seconds: (performance.now() - start) / 1000 };
}

const folder = mkdtempSync(join(tmpdir(), 'lmd-generation-'));
const python = process.env.LMD_PYTHON ?? 'python3';
const script = fileURLToPath(new URL('../../../tools/parity/generation.py', import.meta.url));
const hasPeer = spawnSync(python, ['-c', 'import torch, transformers']).status === 0;
if (!hasPeer)
  console.error(`${python} has no torch and transformers: the rows have no ratio. LMD_PYTHON may name another.`);

function theirs() {
  const { status, stdout, stderr } = spawnSync(python, [script, folder], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  throw new Error(`${python} ${script} failed:\n${stderr}`);
}

const results = { fp32: [], mxfp6_e3m2: [], peer: [] };
try {
  if (hasPeer) {
    const { config, tensors: exported } = exportPretrained(ops, model, weights);
    const tensors = {};
    for (const [name, { shape, read }] of Object.entries(exported)) tensors[name] = tensorFrom(await read(), shape);
    await writeSafetensorsFile(join(folder, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'task.json'), JSON.stringify({ prompt, maxTokens, threads }));
  }
  // What is compiled in the first round is busy in the rest.
  await ours('fp32');
  for (let round = 0; round < rounds; round++) {
    for (const format of ['fp32', 'mxfp6_e3m2']) results[format].push(await ours(format));
    if (hasPeer) results.peer.push(theirs());
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const least = (side) => Math.min(...side.map(({ seconds }) => seconds));
const [mine, peers] = [results.fp32[0].tokens, results.peer[0]?.tokens];
if (peers !== undefined && mine.join() !== peers.join()) {
  throw new Error(`The tokens differ, so that times say nothing: ${mine.join(' ')} and ${peers.join(' ')}.`);
}
const size = `${model.config.depth}×${model.config.width}`;
const rows = ['fp32', 'mxfp6_e3m2'].map((format) => {
  const ratio = hasPeer ? least(results.peer) / least(results[format]) : null;
  return {
    name: `generation, GPT-2 ${size}, ${prompt.length} + ${maxTokens} tokens, ${format}`,
    value: maxTokens / least(results[format]),
    unit: 'tokens/s',
    peer: hasPeer ? 'transformers, FP32' : null,
    ratio,
    target: null,
    met: null,
    device: backend.device,
  };
});
backend.close?.();

if (given.json) console.log(JSON.stringify(rows, null, 2));
else {
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, unit, peer, ratio } of rows) {
    const beside = ratio === null ? '' : `${ratio.toFixed(2).padStart(8)} × ${peer}`;
    console.log(`${name.padEnd(width)} ${value.toFixed(1).padStart(8)} ${unit}${beside}`);
  }
}

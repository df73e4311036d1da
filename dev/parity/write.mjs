// Writes small models of @lmd/models in the layouts of transformers and timm, and adapters on them in PEFT's, with
// inputs and logits, for check.py to load.
//   npm run setup && node dev/parity/write.mjs /tmp/exported && /tmp/parity-venv/bin/python dev/parity/check.py
//   /tmp/exported
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { exportAdapters, exportPretrained, fullPrecision, gpt2, lora, vit } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';

const folder = argv[2];
if (folder === undefined) throw new Error('Usage: node dev/parity/write.mjs <folder>');

const ops = createOperations(createReferenceBackend());
const size = { width: 48, depth: 3, heads: 4 };
const images = { imageSize: 12, patchSize: 4, channels: 3, classes: 5, ...size };
const key = { seed: 1, step: 0, sample: 0 };
const tokens = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 61);
const pixels = ops.randomNormal([3, 12, 12, 3], { ...key, stream: 9 });

// Far from the initial weights, so that no part of a model is near zero.
const stirred = (weights) =>
  Object.fromEntries(
    Object.entries(weights).map(([weight, x], stream) => [
      weight,
      ops.add(x, ops.multiply(ops.randomNormal(x.shape, { ...key, stream }), 0.1)),
    ]),
  );
const numbers = async (x) => ({ shape: x.shape, data: [...(await ops.read(x))] });

async function write(out, file, tensors, configFile, config, inputs, logits) {
  mkdirSync(out, { recursive: true });
  /** @type {Record<string, import('@lmd/safetensors').SafetensorsTensor>} */
  const read = {};
  for (const [tensor, part] of Object.entries(tensors)) read[tensor] = tensorFrom(await part.read(), part.shape);
  await writeSafetensorsFile(join(out, file), { tensors: read, metadata: { format: 'pt' } });
  writeFileSync(join(out, configFile), JSON.stringify(config, null, 2));
  const expected = { inputs: await numbers(inputs), logits: await numbers(logits) };
  writeFileSync(join(out, 'expected.json'), JSON.stringify(expected));
  console.log(`${out}: ${Object.keys(tensors).length} tensors`);
}

/**
 * @type {[name: string, model: import('@lmd/models').PretrainedModel, inputs: import('@lmd/core').Tensor, layout:
 * 'timm' | 'transformers'][]}
 */
const models = [
  ['gpt2', gpt2({ vocabularySize: 61, contextLength: 24, ...size }), ops.fromData(tokens, [2, 20]), 'transformers'],
  ['vit-transformers', vit(images), pixels, 'transformers'],
  ['vit-timm', vit({ ...images, pooling: 'mean' }), pixels, 'timm'],
];

for (const [name, model, inputs, layout] of models) {
  const weights = stirred(model.initialize(ops, 5));
  const logitsOf = (network, of) =>
    network.forward(ops, of, inputs, { training: false, precision: fullPrecision, key });
  const exported = exportPretrained(ops, model, weights, { layout });
  const config = exported.config ?? model.config;
  const out = join(folder, name);
  await write(out, 'model.safetensors', exported.tensors, 'config.json', config, inputs, logitsOf(model, weights));

  const head = model.architecture === 'vit' ? { train: /^head\./ } : {};
  const adapted = lora(model, weights, { rank: 3, alpha: 5, match: /\.(qkv|projection|up|down)\.weight$/, ...head });
  const trained = stirred(adapted.initialize(ops, 6));
  const adapters = exportAdapters(ops, model, adapted, trained, { layout });
  const at = join(out, 'adapters');
  const logits = logitsOf(adapted, trained);
  await write(
    at,
    'adapter_model.safetensors',
    adapters.tensors,
    'adapter_config.json',
    adapters.config,
    inputs,
    logits,
  );
}

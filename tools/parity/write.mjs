// Writes small models of @lmd/models in the layouts of transformers and timm, with inputs and logits, for check.py to load.
//   npm run setup && node tools/parity/write.mjs /tmp/exported && /tmp/parity-venv/bin/python tools/parity/check.py /tmp/exported
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { createReferenceBackend } from '../../packages/backends/dist/reference/index.js';
import { createOperations } from '../../packages/core/dist/index.js';
import { exportPretrained, fullPrecision, gpt2, vit } from '../../packages/models/dist/index.js';
import { tensorFrom } from '../../packages/safetensors/dist/index.js';
import { writeSafetensorsFile } from '../../packages/safetensors/dist/node/index.js';

const folder = argv[2];
if (folder === undefined) throw new Error('Usage: node tools/parity/write.mjs <folder>');

const ops = createOperations(createReferenceBackend());
const size = { width: 48, depth: 3, heads: 4 };
const images = { imageSize: 12, patchSize: 4, channels: 3, classes: 5, ...size };
const key = { seed: 1, step: 0, sample: 0 };
const tokens = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 61);
const pixels = ops.randomNormal([3, 12, 12, 3], { ...key, stream: 9 });

for (const [name, model, inputs, layout] of [
  ['gpt2', gpt2({ vocabularySize: 61, contextLength: 24, ...size }), ops.fromData(tokens, [2, 20]), 'transformers'],
  ['vit-transformers', vit(images), pixels, 'transformers'],
  ['vit-timm', vit({ ...images, pooling: 'mean' }), pixels, 'timm'],
]) {
  const begun = Object.entries(model.initialize(ops, 5));
  // Far from the initial weights, so that no part of the model is near zero.
  const weights = Object.fromEntries(
    begun.map(([weight, x], stream) => [
      weight,
      ops.add(x, ops.multiply(ops.randomNormal(x.shape, { ...key, stream }), 0.1)),
    ]),
  );
  const logits = model.forward(ops, weights, inputs, { training: false, precision: fullPrecision, key });
  const exported = exportPretrained(ops, model, weights, { layout });
  const tensors = {};
  for (const [tensor, { shape, read }] of Object.entries(exported.tensors))
    tensors[tensor] = tensorFrom(await read(), shape);
  const out = join(folder, name);
  mkdirSync(out, { recursive: true });
  await writeSafetensorsFile(join(out, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
  writeFileSync(join(out, 'config.json'), JSON.stringify(exported.config ?? model.config, null, 2));
  const numbers = async (x) => ({ shape: x.shape, data: [...(await ops.read(x))] });
  writeFileSync(
    join(out, 'expected.json'),
    JSON.stringify({ inputs: await numbers(inputs), logits: await numbers(logits) }),
  );
  console.log(`${out}: ${Object.keys(tensors).length} tensors`);
}

// Writes small models of @lmd/models in the layouts of transformers and timm, and adapters on them in PEFT's, with
// inputs and logits, a picture with the pixels that the model takes of it, and tokenizers with tokens, for check.py to
// load.
//   npm run setup && node dev/parity/write.mjs /tmp/exported && /tmp/parity-venv/bin/python dev/parity/check.py
//   /tmp/exported
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { imagesInMemory, transformImages } from '@lmd/data/images';
import { charactersOf, characterTokenizer, gpt2Tokenizer, tokenizerFiles } from '@lmd/data/text';
import { exportAdapters, exportPretrained, fullPrecision, gpt2, lora, vit } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';

const folder = argv[2];
if (folder === undefined) throw new Error('Usage: node dev/parity/write.mjs <folder>');

const ops = createOperations(createReferenceBackend());
const size = { width: 48, depth: 3, heads: 4 };
const images = { imageSize: 48, patchSize: 16, channels: 3, classes: 5, ...size };
const key = { seed: 1, step: 0, sample: 0 };
const tokens = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 61);
const pixels = ops.randomNormal([3, 48, 48, 3], { ...key, stream: 9 });

// Far from the initial weights, so that no part of a model is near zero.
const stirred = (weights) =>
  Object.fromEntries(
    Object.entries(weights).map(([weight, x], stream) => [
      weight,
      ops.add(x, ops.multiply(ops.randomNormal(x.shape, { ...key, stream }), 0.1)),
    ]),
  );
const classNames = ['ant', 'bee', 'cat', 'dog', 'eel'];

// A picture of waves and noise, larger than the model's input and of another aspect ratio.
const [height, width] = [90, 131];
const noise = await ops.read(ops.randomNormal([height, width, 3], { ...key, stream: 10 }));
const bytes = Uint8Array.from(noise, (value, i) => {
  const [row, column] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
  return Math.max(0, Math.min(255, 128 + 80 * Math.sin(row / 7 + column / 11 + i) + 10 * value));
});

/** @param {Pick<import('@lmd/core').ImagePreprocessing, 'fit' | 'cropFraction'>} how */
function preprocessingOf(how) {
  return /** @type {import('@lmd/core').ImagePreprocessing} */ ({
    ...{ height: 48, width: 48, channels: 3, interpolation: 'bilinear', orientation: 'exif', ...how },
    ...{ mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] },
  });
}

/** The picture, and the input that `preprocessing` makes of it. */
async function pictureOf({ fit, cropFraction, mean, standardDeviation }) {
  const source = imagesInMemory({
    name: 'picture',
    images: bytes,
    labels: Int32Array.of(0),
    height,
    width,
    channels: 3,
    classes: 5,
  });
  const size = { height: 48, width: 48 };
  const data = transformImages(source, { ...size, fit, cropFraction, mean, standardDeviation });
  const { inputs } = await data.batch(Int32Array.of(0));
  return { picture: { shape: [height, width, 3], data: [...bytes] }, pixels: [...inputs.data] };
}

const numbers = async (x) => ({ shape: x.shape, data: [...(await ops.read(x))] });

async function write(out, file, tensors, configFile, config, inputs, logits, more = {}) {
  mkdirSync(out, { recursive: true });
  /** @type {Record<string, import('@lmd/safetensors').SafetensorsTensor>} */
  const read = {};
  for (const [tensor, part] of Object.entries(tensors)) read[tensor] = tensorFrom(await part.read(), part.shape);
  await writeSafetensorsFile(join(out, file), { tensors: read, metadata: { format: 'pt' } });
  writeFileSync(join(out, configFile), JSON.stringify(config, null, 2));
  const expected = { inputs: await numbers(inputs), logits: await numbers(logits), ...more };
  writeFileSync(join(out, 'expected.json'), JSON.stringify(expected));
  console.log(`${out}: ${Object.keys(tensors).length} tensors`);
}

/**
 * @type {[name: string, model: import('@lmd/models').PretrainedModel, inputs: import('@lmd/core').Tensor, layout:
 * 'timm' | 'transformers', preprocessing?: import('@lmd/core').ImagePreprocessing][]}
 */
const models = [
  ['gpt2', gpt2({ vocabularySize: 61, contextLength: 24, ...size }), ops.fromData(tokens, [2, 20]), 'transformers'],
  ...[
    preprocessingOf({ fit: 'crop', cropFraction: 1 }),
    preprocessingOf({ fit: 'crop', cropFraction: 0.875 }),
    preprocessingOf({ fit: 'stretch', cropFraction: 1 }),
  ].flatMap((preprocessing) => {
    const { fit, cropFraction } = preprocessing;
    const how = `${fit}-${cropFraction}`;
    // 100 / 48 is no number of f64.
    const [token, mean] = [vit({ ...images, mlpWidth: 100, gelu: 'tanh' }), vit({ ...images, pooling: 'mean' })];
    return /** @type {any[]} */ ([
      [`vit-transformers-${how}`, token, pixels, 'transformers', preprocessing],
      [`vit-timm-${how}`, fit === 'crop' ? mean : token, pixels, 'timm', preprocessing],
    ]);
  }),
];

for (const [name, model, inputs, layout, preprocessing] of models) {
  const weights = stirred(model.initialize(ops, 5));
  const logitsOf = (network, of) =>
    network.forward(ops, of, inputs, { training: false, precision: fullPrecision, key });
  const known = model.architecture === 'vit' ? { classNames, preprocessing } : { endOfText: 60 };
  const exported = exportPretrained(ops, model, weights, { layout, ...known });
  const out = join(folder, name);
  const more = preprocessing === undefined ? {} : { classNames, ...(await pictureOf(preprocessing)) };
  const { tensors, config } = exported;
  await write(out, 'model.safetensors', tensors, 'config.json', config, inputs, logitsOf(model, weights), more);
  for (const [file, json] of Object.entries(exported.files)) writeFileSync(join(out, file), JSON.stringify(json));

  const head = model.architecture === 'vit' ? { train: /^head\./ } : {};
  const adapted = lora(model, weights, { rank: 3, alpha: 5, match: /\.(qkv|projection|up|down)\.weight$/, ...head });
  const trained = stirred(adapted.initialize(ops, 6));
  const adapters = exportAdapters(ops, model, adapted, trained, { layout });
  const at = join(out, 'adapters');
  const logits = logitsOf(adapted, trained);
  const files = /** @type {const} */ (['adapter_model.safetensors', adapters.tensors, 'adapter_config.json']);
  await write(at, ...files, adapters.config, inputs, logits);
}

const texts = [
  'Hello, world!',
  "It's  a naïve 😀 test:\n\n1234 don't… ünïcode\tend ",
  '\u0000\u0085 \ufeff日本語 \r\n   spaces',
];
for (const tokenizer of [await gpt2Tokenizer(), characterTokenizer(charactersOf(texts))]) {
  const out = join(folder, 'tokenizers', tokenizer.name);
  mkdirSync(out, { recursive: true });
  const files = await tokenizerFiles(tokenizer.description, { contextLength: 64 });
  for (const [file, contents] of Object.entries(files)) writeFileSync(join(out, file), contents);
  const expected = texts.map((text) => ({ text, tokens: [...tokenizer.encode(text)] }));
  writeFileSync(join(out, 'expected.json'), JSON.stringify({ endOfText: tokenizer.endOfText, expected }));
  console.log(`${out}: ${Object.keys(files).join(', ')}`);
}

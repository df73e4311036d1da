import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type ImagePreprocessing } from '@lmd/core';
import { preprocessImage } from '@lmd/data/images';
import { decodeImage } from '@lmd/data/node';
import { characterTokenizer } from '@lmd/data/text';
import { gpt2, vit } from '@lmd/models';
import { quantize } from '@lmd/mx-formats';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  initialTensors,
  outcome,
  ownModel,
  preprocessing,
  smallVit,
  temporaryFolder,
  writeExported,
  writeTensors,
} from '../../test/support.js';
import { describeInMetadata, type ModelDescription } from '../description.js';
import { packTensor } from '../pack-tensor.js';
import { loadModel } from './load-model.js';

const backend = createReferenceBackend();
const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);

/** 4 × 8 pixels, which EXIF says are shown turned by a quarter. */
const pixels = Uint8Array.from({ length: 96 }, (_, i) => (i * 29) % 256);
const raw = { raw: { width: 4, height: 8, channels: 3 } } as const;

beforeAll(async () => {
  mkdirSync(at('run'));
  writeFileSync(at('run', 'model.safetensors'), await ownModel(smallVit(), { preprocessing }));
  writeFileSync(at('plain.png'), await sharp(pixels, raw).png().toBuffer());
  writeFileSync(at('turned.png'), await sharp(pixels, raw).withMetadata({ orientation: 6 }).png().toBuffer());
  writeFileSync(at('broken.png'), new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]));
});

describe('a model in a file', () => {
  it.each([
    ['the path of the file', () => at('run', 'model.safetensors')],
    ['the path of its folder', () => at('run')],
  ])('is loaded by %s, and reads pictures by path, bytes, and Blob', async (_, source) => {
    const model = await loadModel(source(), { backend });
    const expected = await model.classify({ width: 4, height: 8, data: pixels });
    const png = await sharp(pixels, raw).png().toBuffer();
    const given = [at('plain.png'), png, new Uint8Array(png).buffer, new Blob([new Uint8Array(png)])];
    expect(await model.classify(given)).toEqual(given.map(() => expected));
    model.dispose();
  });

  it('turns pictures by EXIF, or not, as its preprocessing says', async () => {
    const turned = await sharp(pixels, raw).rotate(90).raw().toBuffer();
    const as = async (orientation: 'exif' | 'stored') => {
      const model = await loadModel(at('run'), { backend, preprocessing: { ...preprocessing, orientation } });
      return (await model.prepare(at('turned.png'))).data;
    };
    const image = { width: 8, height: 4, channels: 3, data: new Uint8Array(turned) };
    expect(await as('exif')).toEqual(preprocessImage(image, preprocessing));
    expect(await as('stored')).toEqual(
      preprocessImage({ width: 4, height: 8, channels: 3, data: pixels }, preprocessing),
    );
  });

  it('decodes a large JPEG in full, or at a reduced size, as its preprocessing says', async () => {
    const noise = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i * 7) % 251);
    const jpeg = await sharp(noise, { raw: { width: 64, height: 48, channels: 3 } })
      .jpeg()
      .toBuffer();
    writeFileSync(at('large.jpg'), jpeg);
    const given = [at('large.jpg'), jpeg, new Uint8Array(jpeg).buffer, new Blob([new Uint8Array(jpeg)])];
    const inputs = async (how: ImagePreprocessing) => {
      const model = await loadModel(at('run'), { backend, preprocessing: how });
      const prepared = await Promise.all(given.map((image) => model.prepare(image)));
      model.dispose();
      for (const { data } of prepared) expect(data).toEqual(prepared[0]!.data);
      return prepared[0]!.data;
    };
    const reduced = { ...preprocessing, decoding: 'reduced' } as const;
    const image = await decodeImage(jpeg, { preprocessing: reduced });
    expect([image.width, image.height]).toEqual([32, 24]);
    expect(await inputs(reduced)).toEqual(preprocessImage(image, reduced));
    expect(await inputs(preprocessing)).toEqual(preprocessImage(await decodeImage(jpeg), preprocessing));
    expect(await inputs(preprocessing)).not.toEqual(await inputs(reduced));
  });

  it('names a picture that cannot be decoded or read, and a model that is missing', async () => {
    const model = await loadModel(at('run'), { backend });
    await expect(model.classify(at('broken.png'))).rejects.toThrow(
      /broken\.png cannot be decoded: .+ Replace or remove it\.$/,
    );
    await expect(model.classify(at('none.png'))).rejects.toThrow(/none\.png/);
    expect(await outcome(() => model.classify(at('none.png')))).toBe('FILE_SYSTEM');
    await expect(loadModel(at('nowhere'), { backend })).rejects.toThrow(/nowhere does not exist/);
    expect(await outcome(() => loadModel(pathToFileURL(at('run', 'model.safetensors')), { backend }))).toBe('fine');
  });

  it('may be packed', async () => {
    const own = smallVit();
    const tensors = await initialTensors(own);
    const name = 'blocks.0.mlp.up.weight';
    const { data, shape } = tensors[name]!;
    const values = new Float32Array(data.slice().buffer);
    const parts = packTensor(name, values, shape, {
      ...{ format: 'mxfp8_e4m3', axis: 0, rounding: 'nearestEven', scaleMode: 'floor' },
    });
    const { [name]: _, ...rest } = tensors;
    const metadata = describeInMetadata({ architecture: 'vit', config: own.config, preprocessing });
    const packed = JSON.stringify({ format: 'mxfp8_e4m3', axes: { [name]: 0 } });
    writeTensors(at('packed.safetensors'), { ...rest, ...Object.fromEntries(parts) }, { ...metadata, packed });
    const model = await loadModel(at('packed.safetensors'), { backend });
    const plain = await loadModel(at('run'), { backend });
    const [a, b] = [await model.classify(at('plain.png')), await plain.classify(at('plain.png'))];
    expect(a.probabilities).not.toEqual(b.probabilities);
    expect(a.probability).toBeCloseTo(b.probability, 1);
    expect(quantize(values, { format: 'mxfp8_e4m3', shape, axis: 0 }).codes).toEqual(parts[0]![1].data);
  });

  it('may be one of transformers or timm', async () => {
    const own = await loadModel(at('run'), { backend });
    const expected = await own.classify(at('plain.png'));
    const heads = { architecture: 'vit_tiny_patch4_8', model_args: { num_heads: 2 } };
    for (const [layout, json] of [
      ['transformers', {}],
      ['timm', heads],
    ] as const) {
      const path = await writeExported(at(layout), smallVit(), layout, json);
      const model = await loadModel(path, { backend, preprocessing });
      expect((await model.classify(at('plain.png'))).probability).toBeCloseTo(expected.probability, 5);
    }
  });
});

describe('a language model', () => {
  const tokenizer = characterTokenizer([...' abcdefgh']);
  const model = gpt2({ vocabularySize: tokenizer.vocabularySize, contextLength: 16, width: 16, depth: 1, heads: 2 });
  const described = { tokenizer: tokenizer.description } as Partial<ModelDescription>;
  beforeAll(async () => writeFileSync(at('text.safetensors'), await ownModel(model, described)));

  it('generates text, as a whole or piece by piece, determined by the seed', async () => {
    const before = backend.memory().tensors;
    const loaded = await loadModel(at('text.safetensors'), { backend });
    const text = await loaded.generate('a bad ', { maxTokens: 20, seed: 2 }).text();
    const pieces: string[] = [];
    for await (const piece of loaded.generate('a bad ', { maxTokens: 20, seed: 2 })) pieces.push(piece);
    expect(pieces.join('')).toBe(text);
    expect(pieces.length).toBeGreaterThan(1);
    expect(await loaded.generate('a bad ', { maxTokens: 20, seed: 5 }).text()).not.toBe(text);
    expect(loaded.classNames).toEqual([]);
    loaded.dispose();
    expect(backend.memory().tensors).toBe(before);
  });

  it('stops when it is told to', async () => {
    const loaded = await loadModel(at('text.safetensors'), { backend });
    const controller = new AbortController();
    let count = 0;
    for await (const _ of loaded.generate('a', { maxTokens: 1000, seed: 1, signal: controller.signal })) {
      count += 1;
      if (count === 3) controller.abort();
    }
    expect(count).toBe(3);
    loaded.dispose();
  });

  it.each<[string, (loaded: Awaited<ReturnType<typeof loadModel>>) => unknown, string]>([
    ['an image', (loaded) => loaded.classify(at('plain.png')), 'INVALID_ARGUMENT'],
    ['an embedding', (loaded) => loaded.embed(at('plain.png')), 'INVALID_ARGUMENT'],
    ['a prompt of other characters', (loaded) => loaded.generate('XYZ').text(), 'DATA_CORRUPT'],
    ['no prompt', (loaded) => loaded.generate(undefined as never).text(), 'INVALID_ARGUMENT'],
    ['an unknown option', (loaded) => loaded.generate('a', { stop: 1 } as never).text(), 'UNKNOWN_OPTION'],
  ])('refuses %s', async (_, run, code) => {
    const loaded = await loadModel(at('text.safetensors'), { backend });
    expect(await outcome(async () => run(loaded))).toBe(code);
    loaded.dispose();
  });

  it('without its tokenizer, or with another, is refused', async () => {
    writeFileSync(at('no-tokenizer.safetensors'), await ownModel(model));
    expect(await outcome(() => loadModel(at('no-tokenizer.safetensors'), { backend }))).toBe('INVALID_ARGUMENT');
    writeFileSync(at('other.safetensors'), await ownModel(model, { tokenizer: { name: 'gpt2' } }));
    await expect(loadModel(at('other.safetensors'), { backend })).rejects.toThrow(/vocabulary of 10.*50257 tokens/);
  });
});

it('a model whose shapes do not fit its description is refused by the weight', async () => {
  const own = vit({ imageSize: 8, channels: 3, classes: 3, patchSize: 4, width: 32, depth: 1, heads: 2 });
  const tensors = await initialTensors(smallVit());
  writeTensors(at('other-width.safetensors'), tensors, describeInMetadata({ architecture: 'vit', config: own.config }));
  const before = createOperations(backend).backend.memory().tensors;
  expect(await outcome(() => loadModel(at('other-width.safetensors'), { backend }))).toBe('CHECKPOINT_MISMATCH');
  expect(backend.memory().tensors).toBe(before);
});

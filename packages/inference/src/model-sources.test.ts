import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { exportPretrained } from '@lmd/models';
import { serializeSafetensors, tensorFrom } from '@lmd/safetensors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialTensors, outcome, ownModel, preprocessing, smallVit, type Tensors } from '../test/support.js';
import { loadModel } from './load-model.js';
import type { ModelSource } from './model-sources.js';

const backend = createReferenceBackend();
const bytes = await ownModel(smallVit(), { preprocessing });
const picture = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 7) % 256) };
const expected = await (await loadModel(bytes, { backend })).classify(picture);

/** The same weights as transformers writes them, in two shards. */
async function transformers(): Promise<Record<string, Uint8Array>> {
  const ops = createOperations(backend);
  const vit = smallVit();
  const exported = exportPretrained(ops, vit, vit.initialize(ops, 1));
  const shards: [Tensors, Tensors] = [{}, {}];
  const fileOf: Record<string, string> = {};
  for (const [i, [name, { shape, read }]] of Object.entries(exported.tensors).entries()) {
    shards[(i % 2) as 0 | 1][name] = tensorFrom(await read(), shape);
    fileOf[name] = `part-${i % 2}.safetensors`;
  }
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return {
    'part-0.safetensors': serializeSafetensors({ tensors: shards[0] }),
    'part-1.safetensors': serializeSafetensors({ tensors: shards[1] }),
    'model.safetensors.index.json': json({ metadata: {}, weight_map: fileOf }),
    'config.json': json(exported.config),
  };
}

const file = (name: string, content: Uint8Array) => new File([new Uint8Array(content)], name);
const foreign = await transformers();
const served: Record<string, Uint8Array> = { '/own/model.safetensors': bytes };
for (const [name, content] of Object.entries(foreign)) served[`/foreign/${name}`] = content;

let server: Server;
let base = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    const content = served[request.url!];
    if (request.url === '/broken') response.writeHead(500).end();
    else if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

describe('a model is loaded from', () => {
  it.each<[string, () => ModelSource]>([
    ['its bytes', () => bytes],
    ['an ArrayBuffer', () => new Uint8Array(bytes).buffer],
    ['a Blob', () => new Blob([new Uint8Array(bytes)])],
    ['a file', () => file('my-model.safetensors', bytes)],
    ['a list of one file', () => [file('my-model.safetensors', bytes)]],
    ['a URL', () => `${base}/own/model.safetensors`],
    ['the URL of a folder', () => new URL(`${base}/own/`)],
  ])('%s', async (_, source) => {
    const model = await loadModel(source(), { backend });
    expect(await model.classify(picture)).toEqual(expected);
    model.dispose();
  });

  it.each<[string, () => ModelSource]>([
    ['shards with their index and config.json', () => Object.entries(foreign).map(([name, data]) => file(name, data))],
    ['the URL of a folder of shards', () => `${base}/foreign/`],
    ['the URL of an index', () => `${base}/foreign/model.safetensors.index.json`],
  ])('%s', async (_, source) => {
    const model = await loadModel(source(), { backend, preprocessing });
    const { probabilities } = await model.classify(picture);
    for (const [label, value] of expected.probabilities.entries()) expect(probabilities[label]).toBeCloseTo(value, 6);
    model.dispose();
  });
});

describe('no model is loaded from', () => {
  it.each<[string, () => unknown, string, RegExp]>([
    ['nothing', () => undefined, 'INVALID_ARGUMENT', /Use a URL, a Blob, a list of files/],
    ['a path', () => 'model.safetensors', 'INVALID_ARGUMENT', /use loadModel of @lmd\/inference\/node/],
    ['no files', () => [], 'INVALID_ARGUMENT', /\(none\)/],
    ['files without names', () => [new Blob([])], 'INVALID_ARGUMENT', /the source is/],
    ['a picture', () => Uint8Array.of(0xff, 0xd8, 0xff), 'DATA_CORRUPT', /is not a valid safetensors file/],
    [
      'an index alone',
      () => [file('model.safetensors.index.json', foreign['model.safetensors.index.json']!)],
      'INVALID_ARGUMENT',
      /lacks part-\d\.safetensors/,
    ],
    [
      'an index as bytes',
      () => file('model.safetensors.index.json', foreign['model.safetensors.index.json']!),
      'INVALID_ARGUMENT',
      /is the index of other files/,
    ],
    [
      'two models',
      () => ['a', 'b'].map((name) => file(`${name}.safetensors`, bytes)),
      'INVALID_ARGUMENT',
      /Pass one model/,
    ],
    ['a URL that does not exist', () => `${base}/none`, 'FILE_SYSTEM', /does not exist/],
    ['a folder without a model', () => `${base}/none/`, 'FILE_SYSTEM', /does not exist/],
    ['a server that fails', () => `${base}/broken`, 'FILE_SYSTEM', /answered with status 500/],
    ['a server that does not answer', () => 'http://127.0.0.1:9/model.safetensors', 'FILE_SYSTEM', /did not answer/],
    ['weights without a description', () => undescribed, 'INVALID_ARGUMENT', /no description of its network/],
  ])('%s', async (_, source, code, message) => {
    const load = () => loadModel(source() as ModelSource, { backend });
    expect(await outcome(load)).toBe(code);
    await expect(load()).rejects.toThrow(message);
  });
});

const undescribed = serializeSafetensors({ tensors: await initialTensors(smallVit()) });

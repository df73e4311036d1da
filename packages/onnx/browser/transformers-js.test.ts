import { characterTokenizer, tokenizerFiles } from '@lmd/data/text';
import { describeExport, fullPrecision, type ModelKnowledge, type PretrainedModel } from '@lmd/models';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { exportOnnx } from '../src/index.js';
import { createOps, inputsOf, largestDifference, logitsOf, models, weightsOf } from '../test/models.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of @huggingface/transformers. */
    transformersJs: string;
  }
}

interface Logits {
  readonly logits: { readonly data: Float32Array; readonly dims: readonly number[] };
}

interface Loader<T> {
  from_pretrained(model: string): Promise<T>;
}

/** What these tests use of transformers.js. */
interface TransformersJs {
  readonly env: {
    fetch: (url: string | URL) => Promise<Response>;
    allowLocalModels: boolean;
    useBrowserCache: boolean;
    useWasmCache: boolean;
    readonly backends: { readonly onnx: { readonly wasm: { wasmPaths: string; numThreads: number } } };
  };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => unknown;
  readonly AutoModelForImageClassification: Loader<
    ((inputs: object) => Promise<Logits>) & { readonly config: { readonly id2label: object } }
  >;
  readonly AutoModelForCausalLM: Loader<
    ((inputs: object) => Promise<Logits>) & { generate(options: object): Promise<{ tolist(): bigint[][] }> }
  >;
  readonly AutoTokenizer: Loader<(text: string) => Promise<object>>;
}

const folder = inject('transformersJs');
const ops = createOps();
/** The files of the models, by the end of their addresses. Nothing else is fetched. */
const files = new Map<string, Blob>();
let transformers: TransformersJs;

async function publish(
  name: string,
  model: PretrainedModel,
  knowledge: ModelKnowledge,
  texts: { readonly [file: string]: string } = {},
) {
  const weights = weightsOf(ops, model);
  const { config, files: more } = describeExport(model, 'onnx', knowledge);
  const settings = { 'transformers.js_config': { dtype: 'fp32' } };
  const json = { 'config.json': { ...config, ...settings }, ...more };
  for (const [file, value] of Object.entries(json)) files.set(`${name}/${file}`, new Blob([JSON.stringify(value)]));
  for (const [file, text] of Object.entries(texts)) files.set(`${name}/${file}`, new Blob([text]));
  for (const file of exportOnnx(ops, model, weights)) {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of file.chunks()) parts.push(new Uint8Array(chunk));
    files.set(`${name}/onnx/${file.name}`, new Blob(parts));
  }
  return logitsOf(ops, model, weights);
}

beforeAll(async () => {
  const { href } = (globalThis as unknown as { location: { href: string } }).location;
  const at = (path: string) => new URL(`/@fs${path}`, href).href;
  transformers = await import(/* @vite-ignore */ at(`${folder}/dist/transformers.min.js`));
  const { env } = transformers;
  env.fetch = async (url) => {
    const address = String(url);
    const found = [...files].find(([name]) => address.endsWith(`/${name}`) || address.includes(named(name)));
    return found === undefined ? new Response(null, { status: 404 }) : new Response(found[1]);
  };
  env.allowLocalModels = false;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  env.backends.onnx.wasm.wasmPaths = at(`${folder.replace(/@huggingface.transformers$/, 'onnxruntime-web')}/dist/`);
  env.backends.onnx.wasm.numThreads = 1;
});

/** As the hub's addresses have it: name/resolve/main/file. */
const named = (name: string) => `/${name.replace('/', '/resolve/main/')}`;

describe('transformers.js in a browser', () => {
  it('classifies with a model that was exported in the page', async () => {
    const { model } = models['vit-class-token'];
    const classNames = ['ant', 'bee', 'cat'];
    const expected = await publish('vit', model, { classNames });
    const network = await transformers.AutoModelForImageClassification.from_pretrained('vit');
    expect(network.config.id2label).toEqual({ 0: 'ant', 1: 'bee', 2: 'cat' });
    const { shape, data } = inputsOf(model);
    const pixels = new transformers.Tensor('float32', data as Float32Array, shape);
    const { logits } = await network({ pixel_values: pixels });
    expect(logits.dims).toEqual([2, 3]);
    expect(largestDifference(logits.data, expected)).toBeLessThan(1e-6);
  });

  it('generates with the cache and the tokenizer of a GPT-2', async () => {
    const { model } = models['gpt2-erf-cached'];
    const tokenizer = characterTokenizer([...'abcdefghij']);
    const { endOfText } = tokenizer;
    await publish('text', model, { endOfText }, await tokenizerFiles(tokenizer.description!));
    const encode = await transformers.AutoTokenizer.from_pretrained('text');
    const network = await transformers.AutoModelForCausalLM.from_pretrained('text');
    const inputs = await encode('dab');
    const generated = await network.generate({ ...inputs, max_new_tokens: 3, do_sample: false });
    // Greedily, by our own forward pass.
    const tokens = [...tokenizer.encode('dab')];
    const weights = weightsOf(ops, model);
    while (tokens.length < 6 && tokens.at(-1) !== endOfText) {
      const given = ops.fromData(Int32Array.from(tokens), [1, tokens.length]);
      const context = { precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };
      const { logits, cache } = model.prefill(ops, weights, given, context);
      const values = await ops.read(logits);
      ops.dispose(cache);
      tokens.push(values.indexOf(Math.max(...values)));
    }
    expect(generated.tolist()[0]!.map(Number)).toEqual(tokens);
  });
});

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The folder of @huggingface/transformers, which `node scripts/native-tests.mjs` installs. */
export const transformersJsFolder = process.env.LMD_TRANSFORMERSJS;

export interface OrtTensor {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];
}

/** What these tests use of onnxruntime-node. */
export interface Onnxruntime {
  readonly Tensor: new (type: 'float32' | 'int64', data: Float32Array | BigInt64Array, dims: number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: string | Uint8Array): Promise<{
      run(inputs: { readonly [name: string]: OrtTensor }): Promise<{ readonly [name: string]: OrtTensor }>;
      release(): Promise<void>;
    }>;
  };
}

interface Output {
  readonly logits: { readonly data: Float32Array; readonly dims: readonly number[] };
}

/** What these tests use of transformers.js. */
export interface TransformersJs {
  readonly env: { localModelPath: string; allowRemoteModels: boolean };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => unknown;
  readonly AutoModelForImageClassification: {
    from_pretrained(
      name: string,
    ): Promise<((inputs: object) => Promise<Output>) & { config: { id2label: { [label: string]: string } } }>;
  };
  readonly AutoModelForCausalLM: {
    from_pretrained(name: string): Promise<
      ((inputs: object) => Promise<Output>) & {
        generate(options: object): Promise<{ tolist(): bigint[][] }>;
      }
    >;
  };
  readonly AutoTokenizer: {
    from_pretrained(name: string): Promise<
      ((text: string) => object) & {
        encode(text: string): number[];
        decode(tokens: readonly (number | bigint)[]): string;
      }
    >;
  };
  readonly AutoImageProcessor: {
    from_pretrained(
      name: string,
    ): Promise<
      (image: unknown) => Promise<{ readonly pixel_values: { readonly data: Float32Array; readonly dims: number[] } }>
    >;
  };
  readonly RawImage: new (data: Uint8ClampedArray, width: number, height: number, channels: number) => unknown;
}

const load = async (...path: string[]): Promise<unknown> =>
  import(pathToFileURL(join(transformersJsFolder!, ...path)).href);

export async function loadOnnxruntime(): Promise<Onnxruntime> {
  const module = (await load('..', '..', 'onnxruntime-node', 'dist', 'index.js')) as { default: Onnxruntime };
  return module.default;
}

export const loadTransformersJs = () => load('dist', 'transformers.node.mjs') as Promise<TransformersJs>;

import { LmdError } from '@lmd/core';

/** The dtypes of TensorFlow.js that appear here: `bool` only between two of its kernels. */
export type EngineDType = 'float32' | 'int32' | 'bool';

/** A tensor as the kernels of TensorFlow.js see it. */
export interface TensorInfo {
  readonly dataId: object;
  shape: number[];
  dtype: string;
}

/** What every TensorFlow.js backend has (`KernelBackend`), as far as it is used here. */
export interface EngineBackend {
  /** With null the wasm backend allocates without writing. */
  write(values: Float32Array | Int32Array | null, shape: number[], dtype: EngineDType): object;
  read(dataId: object): Promise<unknown>;
  /** Absent, or throwing, on engines that cannot wait for a device. */
  readSync?(dataId: object): unknown;
  disposeData(dataId: object, force?: boolean): unknown;
}

interface KernelArguments {
  readonly inputs: { readonly [name: string]: TensorInfo | TensorInfo[] };
  readonly backend: unknown;
  readonly attrs: { readonly [name: string]: unknown };
}

type KernelFunction = (args: KernelArguments) => unknown;

/** The part of the `@tensorflow/tfjs-core` module that is used here; pass the whole module. */
export interface TfjsModule {
  readonly version_core: string;
  getBackend(): string;
  backend(): object;
  getKernel(kernelName: string, backendName: string): object | undefined;
  env(): { getFlags(): object };
  engine(): object;
  reshape(tensor: never, shape: number[]): unknown;
}

/** A `tf.Tensor`, as far as it is used here. */
export interface TfjsTensorLike {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
  readonly isDisposed: boolean;
  dispose(): void;
}

/** `tf.engine()`, as far as it is used here. */
interface TfjsEngine {
  makeTensorFromDataId(dataId: object, shape: number[], dtype: EngineDType, backend: object): TfjsTensorLike;
  keep(tensor: TfjsTensorLike): TfjsTensorLike;
}

const installation =
  'Install an engine and make it current: `npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm`, then ' +
  "`import '@tensorflow/tfjs-backend-wasm'; await tf.setBackend('wasm'); await tf.ready();`.";

/**
 * The caller's TensorFlow.js backend, called through its registered kernel functions. That bypasses the
 * bookkeeping of `tf.engine()`, which costs 2 to 5 µs a call (three quarters of a small addition on wasm), and it means
 * that no `tf.tidy` around the caller's code can free our tensors. What a kernel returns is ours to free.
 */
export class Engine {
  readonly name: string;
  readonly version: string;
  readonly backend: EngineBackend;
  readonly flags: { readonly [name: string]: unknown };
  readonly #module: TfjsModule;
  readonly #kernels = new Map<string, KernelFunction>();

  constructor(module: TfjsModule) {
    if (typeof module?.getBackend !== 'function' || typeof module.getKernel !== 'function') {
      throw new LmdError('ENGINE_MISSING', 'The first argument is not the @tensorflow/tfjs-core module.', {
        subject: 'tf',
        value: module,
        remedy: `Pass \`tf\` of \`import * as tf from '@tensorflow/tfjs-core'\`. ${installation}`,
      });
    }
    // Without a current backend, `tf.backend()` would start one of its own choice, and may fail half-way: so ask first.
    const name = module.getBackend();
    if (typeof name !== 'string' || name === '') {
      throw new LmdError('ENGINE_MISSING', 'TensorFlow.js has no current backend.', {
        subject: 'tf',
        value: name,
        remedy: installation,
      });
    }
    refuseSecondCopy(module);
    this.name = name;
    this.version = module.version_core;
    this.backend = module.backend() as EngineBackend;
    this.flags = module.env().getFlags() as { readonly [name: string]: unknown };
    this.#module = module;
  }

  /** Runs one kernel. Errors of the engine surface as `BACKEND_FAILURE`. */
  run(
    kernelName: string,
    inputs: { readonly [name: string]: TensorInfo | TensorInfo[] },
    attrs: { readonly [name: string]: unknown } = {},
  ): TensorInfo {
    const kernel = this.#kernel(kernelName);
    try {
      return kernel({ inputs, backend: this.backend, attrs }) as TensorInfo;
    } catch (cause) {
      throw new LmdError('BACKEND_FAILURE', `The kernel ${kernelName} of tfjs-${this.name} failed: ${cause}`, {
        subject: kernelName,
        cause,
      });
    }
  }

  /**
   * A `tf.Tensor` on storage of this engine, which from then on counts it and frees it; no `tf.tidy` frees the tensor.
   */
  tensorOn(dataId: object, shape: readonly number[], dtype: EngineDType): TfjsTensorLike {
    const engine = this.#currentEngine();
    return engine.keep(engine.makeTensorFromDataId(dataId, [...shape], dtype, this.backend));
  }

  /** Another `tf.Tensor` on the same storage, which no `tf.tidy` frees. */
  shareTensor(tensor: TfjsTensorLike, shape: readonly number[] = tensor.shape): TfjsTensorLike {
    return this.#currentEngine().keep(this.#module.reshape(tensor as never, [...shape]) as TfjsTensorLike);
  }

  /** Frees what a kernel returned. */
  free(info: TensorInfo): void {
    this.backend.disposeData(info.dataId);
  }

  /** `tf.engine()` counts references on the backend that is current, so that must be this one. */
  #currentEngine(): TfjsEngine {
    if (this.#module.backend() === this.backend) return this.#module.engine() as TfjsEngine;
    const current = this.#module.getBackend();
    throw new LmdError('INVALID_ARGUMENT', `This is the adapter of tfjs-${this.name}, and ${current} is current.`, {
      subject: 'tensor',
      value: current,
      remedy: `Exchange tensors while its backend is current: await tf.setBackend('${this.name}').`,
    });
  }

  #kernel(kernelName: string): KernelFunction {
    const known = this.#kernels.get(kernelName);
    if (known !== undefined) return known;
    const config = this.#module.getKernel(kernelName, this.name) as { kernelFunc: KernelFunction } | undefined;
    if (config === undefined) {
      throw new LmdError('UNSUPPORTED', `The TensorFlow.js backend ${this.name} has no kernel ${kernelName}.`, {
        subject: kernelName,
        value: this.name,
        remedy: `Use another backend, such as wasm. ${installation}`,
      });
    }
    this.#kernels.set(kernelName, config.kernelFunc);
    return config.kernelFunc;
  }
}

/**
 * Copies of TensorFlow.js's core share one engine, which the first has started and which makes the first's tensors:
 * with a copy of another version, kernels and tensors differ from what it expects.
 */
function refuseSecondCopy(module: TfjsModule): void {
  const { Tensor } = module as { readonly Tensor?: unknown };
  if (Tensor === undefined) return;
  const engine = module.engine() as {
    makeTensor(values: Float32Array, shape: number[], dtype: string): TfjsTensorLike;
  };
  const made = engine.makeTensor(Float32Array.of(0), [1], 'float32');
  made.dispose();
  if (made.constructor === Tensor) return;
  throw new LmdError(
    'UNSUPPORTED',
    `This program holds two copies of @tensorflow/tfjs-core: another than this one, of version ${module.version_core}, started the engine.`,
    {
      subject: 'tf',
      value: module.version_core,
      remedy:
        'Pass the copy that the engine package uses. `npm ls @tensorflow/tfjs-core` shows all; `npm dedupe`, or ' +
        'an entry in `overrides`, ' +
        'leaves one.',
    },
  );
}

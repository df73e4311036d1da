import { LmdError } from '@lmd/core';
import type * as Tfjs from '@tensorflow/tfjs-core';
import type { BackendName } from '../engine/names.js';
import { loadTfjs, openTfjsEngine } from '../engine/tfjs-packages.js';
import type { TimedRun } from './timed-run.js';

/** The TensorFlow.js engine that a backend is compared with: the one it uses, or one on the same device. */
export const engineBeside: Readonly<Partial<Record<BackendName, 'wasm' | 'cpu' | 'webgpu'>>> = {
  webgpu: 'webgpu',
  'tfjs-wasm': 'wasm',
  'tfjs-cpu': 'cpu',
};

type Engine = NonNullable<(typeof engineBeside)[BackendName]>;

/** TensorFlow.js itself, with the engine active. Throws `ENGINE_MISSING` if the engine does not start here. */
export async function openTensorflow(engine: Engine): Promise<typeof Tfjs> {
  try {
    const tf = await (engine === 'webgpu' ? withWebgpu() : openTfjsEngine(engine));
    if (await tf.setBackend(engine)) {
      await tf.ready();
      return tf;
    }
  } catch (cause) {
    throw missing(engine, cause);
  }
  throw missing(engine);
}

function missing(engine: Engine, cause?: unknown): LmdError {
  // Node has WebGPU only through Dawn, in the package webgpu.
  const packages = `${engine === 'webgpu' ? 'webgpu ' : ''}@tensorflow/tfjs-core @tensorflow/tfjs-backend-${engine}`;
  return new LmdError('ENGINE_MISSING', `TensorFlow.js could not start its ${engine} engine.`, {
    subject: engine,
    remedy: `Install it: npm install ${packages}`,
    cause,
  });
}

/** The engine needs browser globals. In Node, Dawn provides them. */
async function withWebgpu(): Promise<typeof Tfjs> {
  const tf = await loadTfjs();
  // Through variables, so that bundlers do not resolve them: neither package is a dependency.
  const [dawnName, engineName] = ['webgpu', '@tensorflow/tfjs-backend-webgpu'];
  const { create, globals } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ dawnName)) as {
    create(flags: readonly string[]): { requestAdapter(): Promise<Adapter> };
    globals: object;
  };
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const host = globalThis as { navigator?: object; WorkerGlobalScope?: unknown };
  host.navigator ??= {};
  Object.defineProperty(host.navigator, 'gpu', { value: gpu, configurable: true });
  host.WorkerGlobalScope ??= class {};
  const { WebGPUBackend } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ engineName)) as {
    WebGPUBackend: new (...parts: unknown[]) => never;
  };
  const adapter = await gpu.requestAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  // Computes small tensors on the device too: otherwise reading one would not wait for the device.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  return tf;
}

interface Adapter {
  readonly limits: Readonly<Record<string, number>>;
  readonly info: object;
  requestDevice(descriptor: object): Promise<object>;
}

/** A matrix product of TensorFlow.js itself. */
export function tensorflowProduct(tf: typeof Tfjs, m: number, k: number, n: number, transposeB: boolean): TimedRun {
  const a = tf.randomNormal([m, k]);
  const b = tf.randomNormal(transposeB ? [n, k] : [k, n]);
  return async () => {
    const y = tf.tidy(() => tf.slice(tf.matMul(a, b, false, transposeB), [0, 0], [1, 1]));
    await y.data();
    y.dispose();
  };
}

/** An update of TensorFlow.js's Adam. */
export function tensorflowAdam(tf: typeof Tfjs, size: number): TimedRun {
  const weight = tf.variable(tf.randomNormal([size, size]));
  const gradient = tf.randomNormal([size, size]);
  const optimizer = tf.train.adam(1e-3);
  return async () => {
    tf.tidy(() => optimizer.applyGradients([{ name: weight.name, tensor: gradient }]));
    const y = tf.tidy(() => tf.slice(weight, [0, 0], [1, 1]));
    await y.data();
    y.dispose();
  };
}

import {
  type FusedKernels,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type Primitives,
  resolveOptions,
  sizeOf,
  type TensorData,
} from '@lmd/core';
import { hostAttention } from '../host/attention.js';
import { hostFused } from '../host/fused.js';
import { hostPrimitives } from '../host/primitives.js';
import { backendMarker } from '../made-by.js';
import { isTfjsNode } from '../tfjs-node/module.js';
import { createTfjsNodeBackend } from '../tfjs-node/tfjs-node-backend.js';
import { type Context, createContext } from './compute.js';
import { Engine, type TfjsModule, type TfjsTensorLike } from './engine.js';
import { engineElementwise } from './engine-elementwise.js';
import { engineShape } from './engine-shape.js';
import { checkAlive, type TfjsBackend } from './exchange.js';
import { createHost, type EngineHost } from './host.js';
import { hostMemoryOf, isWasm } from './host-memory.js';
import { Store } from './store.js';
import { wasmMatmul } from './wasm-matmul.js';

type EnginePrimitives = ReturnType<typeof engineElementwise> & ReturnType<typeof engineShape>;

/** The options of `createTfjsBackend`, declared once. */
export const tfjsBackendOptionTable = {
  /**
   * Uses the adapter's own kernels on engines whose memory the calling thread can access (wasm and cpu). With false,
   * all operations use the engine's kernels, as on WebGL or WebGPU; for benchmarks and tests of that path. True or
   * false; default true.
   */
  hostKernels: option.boolean({
    default: true,
    describe:
      "Uses the adapter's own kernels on engines whose memory the calling thread can access (wasm and cpu). With " +
      "false, all operations use the engine's kernels, as on WebGL or WebGPU; for benchmarks and tests of that path.",
  }),
} as const satisfies OptionTable;

export interface TfjsBackendOptions extends OptionsOf<typeof tfjsBackendOptionTable> {}

/**
 * Adapter of the current TensorFlow.js backend of `tf`, for example after `await tf.setBackend('wasm'); await
 * tf.ready();`. It keeps using that backend when another becomes current, and `tf.tidy` does not free its tensors. If
 * the backend of tfjs-node is current, this is `createTfjsNodeBackend`.
 *
 * @param tf the module `@tensorflow/tfjs-core` (or `@tensorflow/tfjs`)
 * @throws LmdError `ENGINE_MISSING` if `tf` has no current backend, with the install command; `UNSUPPORTED` if another
 *   copy of TensorFlow.js has started its engine; `UNKNOWN_OPTION`
 */
export function createTfjsBackend(tf: TfjsModule, options: TfjsBackendOptions = {}): TfjsBackend {
  const { hostKernels } = resolveOptions('createTfjsBackend', tfjsBackendOptionTable, options);
  if (isTfjsNode(tf)) return createTfjsNodeBackend(tf, options);
  const engine = new Engine(tf);
  const store = new Store(engine);
  const memory = hostKernels ? hostMemoryOf(engine) : undefined;
  const host = memory === undefined ? undefined : createHost(memory, store);
  const context = createContext(engine, store);
  const byEngine = { ...engineElementwise(context), ...engineShape(context) };

  const random: Pick<Primitives, 'randomBits' | 'randomUniform' | 'randomNormal'> = {
    randomBits(shape, key) {
      const bits = new Int32Array(sizeOf(shape));
      fillRandomBits(bits, key);
      return context.upload(bits, shape, 'i32');
    },
    randomUniform(shape, key) {
      const values = new Float32Array(sizeOf(shape));
      fillRandomUniform(values, key);
      return context.upload(values, shape, 'f32');
    },
    randomNormal(shape, key) {
      const values = new Float32Array(sizeOf(shape));
      fillRandomNormal(values, key);
      return context.upload(values, shape, 'f32');
    },
  };

  const creation: Pick<Primitives, 'fromData' | 'full' | 'read' | 'dispose'> = {
    fromData(data, shape, dtype) {
      if (host !== undefined) return host.make(shape, dtype, (out) => host.view(out).set(data));
      const values = dtype === 'f32' ? Float32Array.from(data) : Int32Array.from(data);
      return context.upload(values, shape, dtype);
    },
    full(shape, value, dtype) {
      if (host !== undefined) return host.make(shape, dtype, (out) => host.view(out).fill(value));
      const size = sizeOf(shape);
      const values = dtype === 'f32' ? new Float32Array(size) : new Int32Array(size);
      return context.upload(values.fill(value), shape, dtype);
    },
    async read(x) {
      if (host !== undefined) return x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice();
      const dataId = store.dataId(x);
      let values: ArrayLike<number>;
      try {
        values = (await engine.backend.read(dataId)) as ArrayLike<number>;
      } catch (cause) {
        throw new LmdError('BACKEND_FAILURE', `tfjs-${engine.name} could not read a tensor: ${cause}`, { cause });
      }
      return copyOf(values, x.dtype);
    },
    dispose: (x) => store.free(x),
  };

  const primitives: Primitives = {
    ...byEngine,
    ...random,
    ...(host === undefined ? {} : hostPrimitives(host)),
    ...(host !== undefined && isWasm(engine) ? wasmChoices(engine, host, byEngine) : {}),
    ...creation,
  };

  return {
    ...backendMarker,
    name: `tfjs-${engine.name}`,
    device: deviceText(engine, host !== undefined),
    supports: { maxElements: 2 ** 29 - 1, subnormals: host !== undefined },
    ...primitives,
    fused: {
      ...(host === undefined ? {} : { ...hostFused(host), ...hostAttention(host, primitives.matmul) }),
      ...(host !== undefined && isWasm(engine) ? { softmax: engineSoftmax(context) } : {}),
    },
    memory: () => store.memory(),

    fromTfjs(tensor) {
      checkAlive(tensor);
      return store.adopt(tensor, dtypeOf(tensor));
    },
    toTfjs: (x) => store.toTfjs(x),
    readSync(x) {
      if (host !== undefined) return x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice();
      try {
        if (engine.backend.readSync === undefined) throw new Error('it has no readSync');
        // The engine would use a canvas, which gives zeros with WebGPU in software.
        if (engine.name === 'webgpu') throw new Error('WebGPU has no synchronous reads');
        return copyOf(engine.backend.readSync(store.dataId(x)) as ArrayLike<number>, x.dtype);
      } catch (cause) {
        throw new LmdError('UNSUPPORTED', `tfjs-${engine.name} cannot read a tensor synchronously: ${cause}`, {
          subject: 'readSync',
          value: engine.name,
          remedy: 'Use read and await the result.',
          cause,
        });
      }
    },
  };
}

function dtypeOf(tensor: TfjsTensorLike): 'f32' | 'i32' {
  if (tensor.dtype === 'float32') return 'f32';
  if (tensor.dtype === 'int32') return 'i32';
  throw new LmdError('DTYPE_MISMATCH', `A tf.Tensor of dtype ${tensor.dtype} is not supported.`, {
    subject: 'tensor',
    value: tensor.dtype,
    remedy: "Convert it first: tensor.cast('float32') or tensor.cast('int32').",
  });
}

/** XNNPACK's softmax runs in SIMD, eight times as fast as our loop and within a few float32 steps. */
function engineSoftmax({ store, compute, upload }: Context): FusedKernels['softmax'] {
  return (x) => {
    if (sizeOf(x.shape) === 0) return upload(new Float32Array(0), x.shape, 'f32');
    return compute(x.shape, 'f32', (run) => run('Softmax', { logits: store.info(x) }, { dim: x.shape.length - 1 }));
  };
}

/**
 * Operations that the wasm engine does right and faster than our loops, at 800,000 elements: additions and the like in
 * SIMD (0.25 ms, ours 1.2), exp (3.5, ours 4), log (4.6, ours 8), transposition (0.1 ms for a batch of small matrices,
 * ours 0.3). Its sign and maximum are wrong beside NaN, its sums add up in float32, its slices copy their whole source,
 * and its tanh and erf (10 to 15 ms) are slower than ours.
 */
function wasmChoices(
  engine: Parameters<typeof isWasm>[0] & { readonly backend: Parameters<typeof wasmMatmul>[0] },
  host: EngineHost,
  byEngine: EnginePrimitives,
): Partial<Primitives> {
  const { negate, absolute, sqrt, round, exp, log, add, subtract, multiply, divide, transpose } = byEngine;
  const matmul = wasmMatmul(engine.backend, host, transpose);
  return { negate, absolute, sqrt, round, exp, log, add, subtract, multiply, divide, transpose, matmul };
}

function copyOf(values: ArrayLike<number>, dtype: 'f32' | 'i32' | 'u8'): TensorData {
  if (dtype === 'f32') return Float32Array.from(values);
  return dtype === 'i32' ? Int32Array.from(values) : Uint8Array.from(values);
}

function deviceText({ name, version, flags }: Engine, host: boolean): string {
  const features: string[] = [];
  if (name === 'wasm') {
    if (flags.WASM_HAS_SIMD_SUPPORT === true) features.push('SIMD');
    if (flags.WASM_HAS_MULTITHREAD_SUPPORT === true) features.push('threads');
  }
  if (host) features.push('host kernels');
  return `TensorFlow.js ${version} ${name}${features.length > 0 ? ` (${features.join(', ')})` : ''}`;
}

import { LmdError } from '@lmd/core';
import { BufferPool, type PooledBuffer } from './buffer-pool.js';
import {
  computeStage,
  type GpuBuffer,
  type GpuCommandEncoder,
  type GpuComputePass,
  type GpuDevice,
  mapModeRead,
  usage,
} from './gpu-types.js';
import { type Kernel, type ParameterValues, parameterBytes, shaderOf, writeParameters } from './kernel.js';
import { Counters } from './statistics.js';

/** The buffers that hold one tensor, all of `pageBytes` but the last. */
export interface Storage {
  readonly pages: readonly PooledBuffer[];
  readonly bytes: number;
}

interface Pipeline {
  readonly pipeline: object;
  readonly layout: object;
}

/** Commands recorded before they are handed over: enough to make submission cheap, few enough for the device to start early. */
const batchLength = 128;
/** Bind groups kept for the next equal dispatch. */
const groupLimit = 8192;

const recovery = 'Make a new backend with createWebgpuBackend, and resume from the last checkpoint.';

/**
 * A device with its command queue. Dispatches are recorded into one command buffer after another, with their parameters in one
 * uniform buffer that is written once a batch. Pipelines are kept by kernel, and depend on no shape.
 */
export class Queue {
  readonly device: GpuDevice;
  readonly counters = new Counters();
  /** Bytes of one buffer of a tensor; larger tensors have several. */
  readonly pageBytes: number;
  readonly pool: BufferPool;
  readonly #maxBindings: number;
  readonly #memoryLimit: number;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, object>();
  readonly #groups = new Map<string, object>();
  readonly #parameters: ArrayBuffer;
  readonly #parameterView: DataView;
  readonly #parameterBuffer: PooledBuffer;
  readonly #onError = (event: { readonly error: Error }) => this.#fail(event.error);
  #encoder: GpuCommandEncoder | undefined;
  #pass: GpuComputePass | undefined;
  #recorded = 0;
  #batch = 0;
  #failure: LmdError | undefined;
  #closed = false;
  /** Runs before commands reach the device, so that another user of the device hands over its own first. */
  beforeSubmit: () => void = () => {};

  constructor(
    device: GpuDevice,
    limits: { maxBindingBytes?: number; maxBindings?: number; memoryLimit?: number } = {},
  ) {
    this.device = device;
    const largest = Math.min(
      device.limits.maxStorageBufferBindingSize,
      device.limits.maxBufferSize,
      limits.maxBindingBytes ?? Infinity,
    );
    this.pageBytes = Math.floor(largest / 256) * 256;
    this.#maxBindings = Math.min(device.limits.maxStorageBuffersPerShaderStage, limits.maxBindings ?? Infinity);
    this.#memoryLimit = limits.memoryLimit ?? Infinity;
    const storage = usage.storage | usage.copySource | usage.copyTarget;
    this.pool = new BufferPool((size) => device.createBuffer({ size, usage: storage }), this.pageBytes);
    this.#parameters = new ArrayBuffer(batchLength * parameterBytes);
    this.#parameterView = new DataView(this.#parameters);
    const size = this.#parameters.byteLength;
    const gpu = device.createBuffer({ size, usage: usage.uniform | usage.copyTarget, label: 'parameters' });
    this.#parameterBuffer = { id: -1, gpu, size, batch: -1 };
    device.addEventListener?.('uncapturederror', this.#onError);
    void device.lost.then(({ reason, message }) => {
      this.#failure = new LmdError(
        'BACKEND_FAILURE',
        `The WebGPU device was lost (${reason ?? 'unknown'}): ${message}`,
        {
          subject: 'device',
          value: reason,
          remedy: recovery,
        },
      );
    });
  }

  /** Storage buffers that one kernel may bind. */
  get maxBindings(): number {
    return this.#maxBindings;
  }

  get pageWords(): number {
    return this.pageBytes / 4;
  }

  /** Storage with undefined contents. */
  allocate(bytes: number): Storage {
    this.check();
    let needed = this.pool.bytes;
    const pages: PooledBuffer[] = [];
    for (let left = bytes, first = true; left > 0 || first; left -= this.pageBytes, first = false) {
      needed += this.pool.classOf(Math.min(left, this.pageBytes));
    }
    if (needed > this.#memoryLimit) {
      // What is merely kept for reuse makes room first.
      this.flush();
      this.pool.clear();
      this.#groups.clear();
      if (this.pool.bytes + bytes > this.#memoryLimit) {
        throw new LmdError(
          'BACKEND_FAILURE',
          `${bytes} bytes more do not fit: ${this.pool.bytes} of ${this.#memoryLimit} are in use.`,
          { subject: 'memoryLimit', value: bytes, remedy: 'Use a smaller batch or model, or a larger memoryLimit.' },
        );
      }
    }
    for (let left = bytes, first = true; left > 0 || first; left -= this.pageBytes, first = false) {
      pages.push(this.pool.take(Math.min(left, this.pageBytes)));
    }
    return { pages, bytes };
  }

  release(storage: Storage): void {
    for (const page of storage.pages) this.pool.give(page);
  }

  /** The single page `index` of a storage, as a storage of its own. */
  page(storage: Storage, index: number): Storage {
    const page = storage.pages[index]!;
    return { pages: [page], bytes: Math.min(this.pageBytes, storage.bytes - index * this.pageBytes) };
  }

  /** Copies words to new storage. */
  upload(words: Uint32Array | Int32Array | Float32Array): Storage {
    const storage = this.allocate(words.byteLength);
    this.counters.uploads++;
    this.counters.uploadedBytes += words.byteLength;
    // The queue writes before what is only recorded runs: a buffer that this still uses must wait for it.
    if (storage.pages.some((page) => page.batch === this.#batch)) this.flush();
    for (const [i, page] of storage.pages.entries()) {
      const from = i * this.pageBytes;
      const size = Math.min(this.pageBytes, words.byteLength - from);
      if (size > 0) {
        this.device.queue.writeBuffer(page.gpu, 0, words.buffer as ArrayBuffer, words.byteOffset + from, size);
      }
    }
    return storage;
  }

  /** Copies a buffer that another owns, as it is once what that other has recorded has run. */
  copyIn(source: GpuBuffer, target: Storage): void {
    this.check();
    const encoder = this.#commands();
    for (const [i, page] of target.pages.entries()) {
      const from = i * this.pageBytes;
      encoder.copyBufferToBuffer(source, from, page.gpu, 0, Math.min(this.pageBytes, target.bytes - from));
    }
    // At once: the owner may use the buffer for something else next.
    this.flush();
  }

  /** The contents once everything recorded before has run. The commands are handed over before this returns. */
  read(storage: Storage): Promise<ArrayBuffer> {
    this.check();
    this.counters.readbacks++;
    this.counters.readBytes += storage.bytes;
    if (storage.bytes === 0) return Promise.resolve(new ArrayBuffer(0));
    const encoder = this.#commands();
    const parts = storage.pages.map((page, i) => {
      const size = Math.min(this.pageBytes, storage.bytes - i * this.pageBytes);
      const staging = this.device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget, label: 'readback' });
      encoder.copyBufferToBuffer(page.gpu, 0, staging, 0, size);
      return { staging, size };
    });
    this.flush();
    return this.#collect(parts, storage.bytes);
  }

  async #collect(parts: { staging: PooledBuffer['gpu']; size: number }[], bytes: number): Promise<ArrayBuffer> {
    const target = new Uint8Array(bytes);
    let at = 0;
    try {
      await Promise.all(parts.map(({ staging }) => staging.mapAsync(mapModeRead)));
      for (const { staging, size } of parts) {
        target.set(new Uint8Array(staging.getMappedRange(0, size)), at);
        staging.unmap();
        at += size;
      }
    } catch (cause) {
      // A lost device rejects the mapping too, and says why a moment later.
      await Promise.race([this.device.lost, Promise.resolve().then(() => {})]);
      throw (
        this.#failure ??
        new LmdError('BACKEND_FAILURE', `The device could not read a tensor: ${cause}`, {
          subject: 'read',
          remedy: recovery,
          cause,
        })
      );
    } finally {
      for (const { staging } of parts) staging.destroy();
    }
    this.check();
    return target.buffer;
  }

  /** Records one run of a kernel over `groups` workgroups, numbered `group_index` in the shader however many there are. */
  dispatch(
    kernel: Kernel,
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    parameters: ParameterValues,
    groups: number,
  ): void {
    if (groups === 0) return;
    this.check();
    const operands = [...inputs, ...outputs];
    const pages = operands.map((operand) => operand.pages.length);
    const { pipeline, layout } = this.#pipeline(kernel, pages);
    const group = this.#group(kernel, layout, operands);
    const pass = this.#computePass();
    const slot = this.#recorded++ * parameterBytes;
    writeParameters(kernel, parameters, this.#parameterView, slot);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [slot]);
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    const x = Math.min(groups, limit);
    pass.dispatchWorkgroups(x, Math.ceil(groups / x));

    const { counters } = this;
    counters.dispatches++;
    counters.byKernel.set(kernel.name, (counters.byKernel.get(kernel.name) ?? 0) + 1);
    for (const operand of operands) {
      counters.movedBytes += operand.bytes;
      for (const page of operand.pages) page.batch = this.#batch;
    }
    if (this.#recorded === batchLength) this.flush();
  }

  /** Hands what is recorded over to the device. */
  flush(): void {
    if (this.#encoder !== undefined) {
      this.#pass?.end();
      const commands = this.#encoder.finish();
      this.beforeSubmit();
      if (this.#recorded > 0) {
        this.device.queue.writeBuffer(
          this.#parameterBuffer.gpu,
          0,
          this.#parameters,
          0,
          this.#recorded * parameterBytes,
        );
      }
      this.device.queue.submit([commands]);
      this.counters.submissions++;
      this.#encoder = undefined;
      this.#pass = undefined;
      this.#recorded = 0;
      this.#batch++;
    }
    if (this.pool.sweep() > 0) this.#groups.clear();
  }

  /** Throws what has failed on the device since. */
  check(): void {
    if (this.#closed) {
      throw new LmdError('BACKEND_FAILURE', 'This WebGPU backend was closed.', {
        subject: 'backend',
        remedy: 'Make a new one with createWebgpuBackend.',
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Frees all buffers. Only storage that nobody holds any more. */
  close(): void {
    if (this.#closed) return;
    if (this.#failure === undefined) this.flush();
    this.#closed = true;
    this.device.removeEventListener?.('uncapturederror', this.#onError);
    this.pool.clear();
    this.#groups.clear();
    this.#parameterBuffer.gpu.destroy();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    const memory = error.constructor.name === 'GPUOutOfMemoryError';
    this.#failure = new LmdError(
      'BACKEND_FAILURE',
      `${memory ? 'The WebGPU device is out of memory' : 'The WebGPU device reported an error'}: ${error.message}`,
      {
        subject: memory ? 'memory' : 'device',
        remedy: memory ? `Use a smaller batch or model. ${recovery}` : recovery,
        cause: error,
      },
    );
  }

  #commands(): GpuCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    this.#encoder ??= this.device.createCommandEncoder();
    return this.#encoder;
  }

  #computePass(): GpuComputePass {
    this.#encoder ??= this.device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    return this.#pass;
  }

  #pipeline(kernel: Kernel, pages: readonly number[]): Pipeline {
    const key = `${kernel.name}/${pages.join()}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const bindings = pages.reduce((a, b) => a + b, 0);
    if (bindings > this.#maxBindings) {
      throw new LmdError(
        'UNSUPPORTED',
        `${kernel.name} would bind ${bindings} buffers of ${this.pageBytes} bytes, and the device allows ${this.#maxBindings}.`,
        {
          subject: 'maxStorageBuffersPerShaderStage',
          value: bindings,
          remedy: 'Use a device with larger bindings (maxStorageBufferBindingSize), or smaller tensors.',
        },
      );
    }
    const inputs = Object.keys(kernel.inputs).length;
    const readOnly = pages.slice(0, inputs).reduce((a, b) => a + b, 0);
    const layout = this.#layout(readOnly, bindings - readOnly);
    const module = this.device.createShaderModule({
      code: shaderOf(kernel, pages, this.pageWords),
      label: kernel.name,
    });
    const pipeline = this.device.createComputePipeline({
      label: kernel.name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    this.counters.pipelines++;
    const made = { pipeline, layout };
    this.#pipelines.set(key, made);
    return made;
  }

  #layout(readOnly: number, readWrite: number): object {
    const key = `${readOnly}/${readWrite}`;
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const entries: object[] = [
        { binding: 0, visibility: computeStage, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ];
      for (let i = 0; i < readOnly + readWrite; i++) {
        const type = i < readOnly ? 'read-only-storage' : 'storage';
        entries.push({ binding: i + 1, visibility: computeStage, buffer: { type } });
      }
      layout = this.device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #group(kernel: Kernel, layout: object, operands: readonly Storage[]): object {
    const buffers = operands.flatMap((operand) => operand.pages);
    const key = `${kernel.name}/${buffers.map(({ id }) => id).join()}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= groupLimit) this.#groups.clear();
      group = this.device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: this.#parameterBuffer.gpu, offset: 0, size: parameterBytes } },
          ...buffers.map(({ gpu }, i) => ({ binding: i + 1, resource: { buffer: gpu } })),
        ],
      });
      this.#groups.set(key, group);
    }
    return group;
  }
}

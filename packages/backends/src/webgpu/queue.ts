import { LmdError } from '@lmd/core';
import type { PooledBuffer } from './buffer-pool.js';
import { DeviceFailure } from './device-failure.js';
import { DeviceMemory } from './device-memory.js';
import { type GpuBuffer, type GpuCommandEncoder, type GpuComputePass, type GpuDevice, usage } from './gpu-types.js';
import { type Kernel, type ParameterValues, parameterBytes, writeParameters } from './kernel.js';
import { Pipelines } from './pipelines.js';
import { Readback } from './readback.js';
import { Counters } from './statistics.js';
import type { Storage } from './storage.js';

export interface QueueLimits {
  readonly maxBindingBytes?: number;
  readonly memoryLimit?: number;
}

/** A stretch of words to copy from one storage to another, in bytes. */
export interface Copy {
  readonly source: Storage;
  readonly target: Storage;
  /** Where it goes in the target. */
  readonly at: number;
  readonly bytes: number;
}

/**
 * Commands recorded before they are handed over: enough to make submission cheap, few enough for the device to start
 * early.
 */
const batchLength = 128;

/**
 * A device with its command queue. Dispatches are recorded into one command buffer after another, with their parameters
 * in one uniform buffer that is written once a batch.
 */
export class Queue {
  readonly device: GpuDevice;
  readonly counters = new Counters();
  readonly memory: DeviceMemory;
  /** Storage buffers that one kernel may bind. */
  readonly maxBindings: number;
  readonly #pipelines: Pipelines;
  readonly #failure: DeviceFailure;
  readonly #parameters = new ArrayBuffer(batchLength * parameterBytes);
  readonly #parameterView = new DataView(this.#parameters);
  readonly #parameterBuffer: PooledBuffer;
  #encoder: GpuCommandEncoder | undefined;
  #pass: GpuComputePass | undefined;
  #recorded = 0;
  #batch = 0;
  #closed = false;
  /** Runs before commands are handed over: records what was put off. */
  beforeFlush: () => void = () => {};
  /** Runs before commands reach the device, so that another user of the device hands over its own first. */
  beforeSubmit: () => void = () => {};

  constructor(device: GpuDevice, { maxBindingBytes = Infinity, memoryLimit = Infinity }: QueueLimits = {}) {
    this.device = device;
    const { limits } = device;
    const largest = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, maxBindingBytes);
    this.maxBindings = limits.maxStorageBuffersPerShaderStage;
    this.memory = new DeviceMemory(device, Math.floor(largest / 256) * 256, memoryLimit, () => {
      this.flush();
      this.memory.pool.clear();
      this.#pipelines.forgetGroups();
    });
    const size = this.#parameters.byteLength;
    const gpu = device.createBuffer({ size, usage: usage.uniform | usage.copyTarget, label: 'parameters' });
    this.#parameterBuffer = { id: -1, gpu, size, batch: -1 };
    const { maxBindings } = this;
    const { pageBytes } = this.memory;
    this.#pipelines = new Pipelines(device, this.counters, { maxBindings, pageBytes }, this.#parameterBuffer);
    this.#failure = new DeviceFailure(device);
  }

  get pageWords(): number {
    return this.memory.pageBytes / 4;
  }

  /** Storage with undefined contents. */
  allocate(bytes: number): Storage {
    this.check();
    return this.memory.allocate(bytes);
  }

  /** Copies words to new storage. */
  upload(words: Uint32Array | Int32Array | Float32Array): Storage {
    const storage = this.allocate(words.byteLength);
    this.counters.uploads++;
    this.counters.uploadedBytes += words.byteLength;
    // The queue writes before what is only recorded runs: a buffer that this still uses must wait for it.
    if (storage.pages.some((page) => page.batch === this.#batch)) this.#submit();
    const { pageBytes } = this.memory;
    for (const [i, page] of storage.pages.entries()) {
      const from = i * pageBytes;
      const size = Math.min(pageBytes, words.byteLength - from);
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
    const { pageBytes } = this.memory;
    for (const [i, page] of target.pages.entries()) {
      const from = i * pageBytes;
      encoder.copyBufferToBuffer(source, from, page.gpu, 0, Math.min(pageBytes, target.bytes - from));
    }
    // At once: the owner may use the buffer for something else next.
    this.#submit();
  }

  /** Copies storage of one buffer to a buffer that another owns, and hands it over: that other may use it next. */
  copyOut(source: Storage, target: GpuBuffer): void {
    this.check();
    this.#commands().copyBufferToBuffer(source.pages[0]!.gpu, source.offset, target, 0, source.bytes);
    this.flush();
  }

  /** Records copies of whole storages of one buffer each into others. */
  copy(copies: readonly Copy[]): void {
    if (copies.length === 0) return;
    this.check();
    const encoder = this.#commands();
    for (const { source, target, at, bytes } of copies) {
      const [from, to] = [source.pages[0]!, target.pages[0]!];
      encoder.copyBufferToBuffer(from.gpu, source.offset, to.gpu, target.offset + at, bytes);
      from.batch = this.#batch;
      to.batch = this.#batch;
      this.counters.copiedBytes += bytes;
    }
    this.counters.copies += copies.length;
  }

  /** The contents once everything recorded before has run. The commands are handed over before this returns. */
  read(storage: Storage): Promise<ArrayBuffer> {
    this.check();
    this.counters.readbacks++;
    this.counters.readBytes += storage.bytes;
    if (storage.bytes === 0) return Promise.resolve(new ArrayBuffer(0));
    const readback = new Readback(this.device, this.#commands(), storage, this.memory.pageBytes);
    this.flush();
    return readback.contents(() => {
      this.check();
    });
  }

  /** Compiles a kernel for operands of one buffer each, so that a later dispatch finds it. */
  prepare(kernel: Kernel): void {
    this.check();
    const operands = Object.keys(kernel.inputs).length + Object.keys(kernel.outputs).length;
    this.#pipelines.pipeline(
      kernel,
      Array.from({ length: operands }, () => 1),
    );
  }

  /**
   * Records one run of a kernel over `groups` workgroups, numbered `group_index` in the shader however many there are.
   */
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
    const pipeline = this.#pipelines.pipeline(
      kernel,
      operands.map((operand) => operand.pages.length),
    );
    const group = this.#pipelines.group(kernel, pipeline, operands);
    const pass = this.#computePass();
    const slot = this.#recorded++ * parameterBytes;
    writeParameters(kernel, parameters, this.#parameterView, slot);
    pass.setPipeline(pipeline.pipeline);
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
    if (this.#recorded === batchLength) this.#submit();
  }

  /** Hands what is recorded over to the device, and what was put off. */
  flush(): void {
    this.beforeFlush();
    this.#submit();
  }

  /** Throws the first error that the device has reported since. */
  check(): void {
    if (this.#closed) {
      throw new LmdError('BACKEND_FAILURE', 'This WebGPU backend was closed.', {
        subject: 'backend',
        remedy: 'Create a new one with createWebgpuBackend.',
      });
    }
    if (this.#failure.error !== undefined) throw this.#failure.error;
  }

  /** Frees all buffers. Only storage that nobody holds any more. */
  close(): void {
    if (this.#closed) return;
    if (this.#failure.error === undefined) this.flush();
    this.#closed = true;
    this.#failure.stop();
    this.memory.pool.clear();
    this.#pipelines.forgetGroups();
    this.#parameterBuffer.gpu.destroy();
  }

  #submit(): void {
    if (this.#encoder !== undefined) {
      this.#pass?.end();
      const commands = this.#encoder.finish();
      this.beforeSubmit();
      const { queue } = this.device;
      if (this.#recorded > 0) {
        queue.writeBuffer(this.#parameterBuffer.gpu, 0, this.#parameters, 0, this.#recorded * parameterBytes);
      }
      queue.submit([commands]);
      this.counters.submissions++;
      this.#encoder = undefined;
      this.#pass = undefined;
      this.#recorded = 0;
      this.#batch++;
    }
    if (this.memory.pool.sweep() > 0) this.#pipelines.forgetGroups();
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
}

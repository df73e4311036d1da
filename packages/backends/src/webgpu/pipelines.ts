import { LmdError } from '@lmd/core';
import type { PooledBuffer } from './buffer-pool.js';
import { computeStage, type GpuDevice } from './gpu-types.js';
import { type Kernel, parameterBytes, shaderOf } from './kernel.js';
import type { Counters } from './statistics.js';
import type { Storage } from './storage.js';

export interface Pipeline {
  readonly pipeline: object;
  readonly layout: object;
}

/** Bind groups kept for the next equal dispatch. */
const groupLimit = 8192;

/** Compiled kernels, which depend on no shape, and the bind groups of their operands: each made at its first use. */
export class Pipelines {
  readonly #device: GpuDevice;
  readonly #counters: Counters;
  readonly #maxBindings: number;
  readonly #pageBytes: number;
  readonly #parameters: PooledBuffer;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, object>();
  readonly #groups = new Map<string, object>();

  /** @param parameters the uniform buffer that every kernel reads its parameters from, at a dynamic offset */
  constructor(
    device: GpuDevice,
    counters: Counters,
    limits: { readonly maxBindings: number; readonly pageBytes: number },
    parameters: PooledBuffer,
  ) {
    this.#device = device;
    this.#counters = counters;
    this.#maxBindings = limits.maxBindings;
    this.#pageBytes = limits.pageBytes;
    this.#parameters = parameters;
  }

  /** The kernel compiled for operands of so many buffers each. */
  pipeline(kernel: Kernel, pages: readonly number[]): Pipeline {
    const key = `${kernel.name}/${pages.join()}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const bindings = pages.reduce((a, b) => a + b, 0);
    if (bindings > this.#maxBindings) {
      throw new LmdError(
        'UNSUPPORTED',
        `${kernel.name} would bind ${bindings} buffers of ${this.#pageBytes} bytes, and the device allows ${this.#maxBindings}.`,
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
    const device = this.#device;
    const module = device.createShaderModule({
      code: shaderOf(kernel, pages, this.#pageBytes / 4),
      label: kernel.name,
    });
    const pipeline = device.createComputePipeline({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    this.#counters.pipelines++;
    const made = { pipeline, layout };
    this.#pipelines.set(key, made);
    return made;
  }

  /** The operands, as the pipeline of `kernel` finds them. */
  group(kernel: Kernel, { layout }: Pipeline, operands: readonly Storage[]): object {
    const buffers = operands.flatMap(({ pages, offset }) => pages.map((page) => ({ page, offset })));
    const key = `${kernel.name}/${buffers.map(({ page, offset }) => `${page.id}+${offset}`).join()}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= groupLimit) this.#groups.clear();
      group = this.#device.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: this.#parameters.gpu, offset: 0, size: parameterBytes } },
          ...buffers.map(({ page, offset }, i) => ({ binding: i + 1, resource: { buffer: page.gpu, offset } })),
        ],
      });
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Forgets the bind groups, which keep their buffers alive. */
  forgetGroups(): void {
    this.#groups.clear();
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
      layout = this.#device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

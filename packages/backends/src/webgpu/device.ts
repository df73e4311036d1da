import { LmdError } from '@lmd/core';
import { firstLine, isMissing } from '../optional-package.js';
import type { Gpu, GpuAdapter, GpuDevice } from './gpu-types.js';

const withoutGpu = 'Without a GPU, use @lmd/backends/cpu.';
const packageRemedy = `Install Dawn: npm install webgpu. ${withoutGpu}`;
const driverRemedy =
  "Install the GPU's driver. On Linux Dawn needs Vulkan: the vendor's driver and libvulkan1, or " +
  'mesa-vulkan-drivers to try it without ' +
  `a GPU. ${withoutGpu}`;
const browserRemedy = `Use a browser with WebGPU, on a page from https or localhost. ${withoutGpu}`;

/**
 * Dawn's entry point, held for as long as the process lives: Dawn aborts it when the entry point is collected, after
 * its devices are gone too.
 */
let entryPoint: Gpu | undefined;

/** `navigator.gpu` where there is one, and Dawn from the optional package `webgpu` elsewhere. */
export async function findGpu(): Promise<Gpu> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  if (navigator?.gpu !== undefined) return navigator.gpu;
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node !== undefined) {
    // Named by a variable, so that bundlers for browsers do not look for it.
    const name = 'webgpu';
    try {
      const dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
        create(flags: string[]): Gpu;
      };
      entryPoint ??= dawn.create([]);
      return entryPoint;
    } catch (cause) {
      const missing = isMissing(name, cause);
      const message = missing
        ? 'The package webgpu is not installed.'
        : `The package webgpu could not be loaded: ${firstLine(cause)}.`;
      throw new LmdError('ENGINE_MISSING', message, {
        subject: 'webgpu',
        remedy: missing ? packageRemedy : `Install it again on this machine: npm install webgpu. ${withoutGpu}`,
        cause,
      });
    }
  }
  throw new LmdError('ENGINE_MISSING', 'WebGPU is not available: navigator.gpu is undefined.', {
    subject: 'navigator.gpu',
    remedy: browserRemedy,
  });
}

/** A device with the largest limits that its adapter has. */
export async function requestDevice(
  gpu: Gpu,
  powerPreference: 'low-power' | 'high-performance' | undefined,
): Promise<{ device: GpuDevice; text: string }> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  const remedy = gpu === navigator?.gpu ? browserRemedy : driverRemedy;
  let adapter: GpuAdapter | null;
  try {
    adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', `WebGPU could not request an adapter: ${cause}`, {
      subject: 'adapter',
      remedy,
      cause,
    });
  }
  if (adapter === null) {
    throw new LmdError('ENGINE_MISSING', 'WebGPU has no adapter: no GPU with a driver was found.', {
      subject: 'adapter',
      value: null,
      remedy,
    });
  }
  const { limits } = adapter;
  const requiredLimits = {
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
  };
  let device: GpuDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits });
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', `The adapter returned no device: ${cause}`, {
      subject: 'device',
      remedy,
      cause,
    });
  }
  return { device, text: describeAdapter(adapter.info) };
}

export function describeAdapter(info: GpuAdapter['info']): string {
  const parts = [info?.description, info?.vendor, info?.architecture].filter(
    (part) => part !== undefined && part !== '',
  );
  return parts.length > 0 ? [...new Set(parts)].join(', ') : 'unnamed adapter';
}

/**
 * Whether WGSL has `dot4I8Packed`. A device does not name its source; without `gpu` it is assumed to be from
 * `navigator.gpu`.
 */
export function hasPackedDot(gpu?: Gpu): boolean {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  return (gpu ?? navigator?.gpu)?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false;
}

/** The least limits with which every kernel runs on tensors of one buffer each. They are WebGPU's defaults. */
export function checkLimits({ limits }: GpuDevice): void {
  const needed = {
    maxStorageBuffersPerShaderStage: 8,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 16_384,
  } as const;
  for (const [name, least] of Object.entries(needed)) {
    const value = limits[name as keyof typeof needed];
    if (value >= least) continue;
    throw new LmdError('UNSUPPORTED', `The device's ${name} is ${value}, and the kernels need ${least}.`, {
      subject: name,
      value,
      remedy: `Request the device with requiredLimits: { ${name}: ${least} }, or let createWebgpuBackend request one.`,
    });
  }
}

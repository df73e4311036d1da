/// <reference types="@webgpu/types" />
import type {
  Gpu,
  GpuAdapter,
  GpuAdapterInfo,
  GpuBuffer,
  GpuCommandEncoder,
  GpuComputePass,
  GpuDevice,
  GpuLimits,
  GpuQueue,
} from '../src/webgpu/gpu-types.js';

// A check by the type checker, of no test: the specification's own types have every member that the backend states.
// Where no opaque handle is passed in, the whole types must fit; handles are plain objects here, and branded there.
type Fits<Whole extends Part, Part> = Whole;
type HasMembers<Whole, Part> = Exclude<keyof Part, keyof Whole>;
type None<Missing extends never> = Missing;

export type Checked = [
  Fits<GPUSupportedLimits, GpuLimits>,
  Fits<GPUAdapterInfo, GpuAdapterInfo>,
  Fits<GPUBuffer, GpuBuffer>,
  None<HasMembers<GPUComputePassEncoder, GpuComputePass>>,
  None<HasMembers<GPUCommandEncoder, GpuCommandEncoder>>,
  None<HasMembers<GPUQueue, GpuQueue>>,
  None<HasMembers<GPUDevice, GpuDevice>>,
  None<HasMembers<GPUAdapter, GpuAdapter>>,
  None<HasMembers<GPU, Gpu>>,
];

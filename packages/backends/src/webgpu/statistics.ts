/** What a backend has done since it was made or since `resetStatistics`. Deterministic: no clock is involved. */
export interface WebgpuStatistics {
  /** Compute dispatches. */
  readonly dispatches: number;
  /** The same by kernel. */
  readonly dispatchesByKernel: { readonly [kernel: string]: number };
  /** Command buffers handed to the queue. */
  readonly submissions: number;
  /** Pipelines compiled. */
  readonly pipelines: number;
  /** Tensors copied from this process to the device, and their bytes; kernels' parameters are not counted. */
  readonly uploads: number;
  readonly uploadedBytes: number;
  /** Tensors copied back, and their bytes. */
  readonly readbacks: number;
  readonly readBytes: number;
  /** Tensors copied from buffer to buffer, without a dispatch, and their bytes. */
  readonly copies: number;
  readonly copiedBytes: number;
  /** Bytes of the tensors that dispatches read and wrote, each once a dispatch. */
  readonly movedBytes: number;
  /** Bytes of device memory in use or kept for reuse, now. */
  readonly reservedBytes: number;
}

/** The counters behind `WebgpuStatistics`. */
export class Counters {
  dispatches = 0;
  readonly byKernel = new Map<string, number>();
  submissions = 0;
  pipelines = 0;
  uploads = 0;
  uploadedBytes = 0;
  readbacks = 0;
  readBytes = 0;
  copies = 0;
  copiedBytes = 0;
  movedBytes = 0;

  reset(): void {
    Object.assign(this, new Counters(), { byKernel: this.byKernel });
    this.byKernel.clear();
  }

  snapshot(reservedBytes: number): WebgpuStatistics {
    const { byKernel, ...counts } = this;
    return { ...counts, dispatchesByKernel: Object.fromEntries(byKernel), reservedBytes };
  }
}

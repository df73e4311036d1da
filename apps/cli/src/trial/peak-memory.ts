import type { Plugin } from '@lmd/training';

/** Maximum resident memory of this process so far, in bytes. Node reports kilobytes on every system. */
export function peakResidentBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

export interface PeakMemory {
  readonly plugin: Plugin;
  bytes(): number;
}

/** Tracks the peak across the parts of an interrupted run, each of which is a separate process. */
export function peakMemory(): PeakMemory {
  let before = 0;
  const bytes = () => Math.max(before, peakResidentBytes());
  return {
    bytes,
    plugin: {
      name: 'peakMemory',
      start() {
        before = 0;
      },
      state: () => ({ data: bytes() }),
      restore({ data }) {
        before = data as number;
      },
    },
  };
}

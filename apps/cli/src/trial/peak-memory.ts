import type { Plugin } from '@lmd/training';

/** The largest resident memory of this process so far, in bytes. Node gives kilobytes on every system. */
export function peakResidentBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

export interface PeakMemory {
  readonly plugin: Plugin;
  bytes(): number;
}

/** Remembers the peak across the parts of an interrupted run: each part is a process of its own. */
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

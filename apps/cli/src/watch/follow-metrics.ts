import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fromJson } from '@lmd/training';
import type { MetricsLine } from '@lmd/training/node';
import { isLine } from '../run/metrics.js';

/**
 * Follows the metrics of one optimizer while it trains: each call gives all complete lines so far, and reads only what
 * is new. A run that resumes replaces the file, which is then read again from its start.
 */
export function followMetrics(path: string): () => readonly MetricsLine[] {
  let lines: MetricsLine[] = [];
  let offset = 0;
  let inode: bigint | undefined;
  let rest = Buffer.alloc(0);
  return () => {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      // Not there yet, or being replaced.
      return lines;
    }
    try {
      const { size, ino } = fstatSync(file, { bigint: true });
      if (ino !== inode || Number(size) < offset) {
        lines = [];
        offset = 0;
        rest = Buffer.alloc(0);
        inode = ino;
      }
      const bytes = Buffer.alloc(Number(size) - offset);
      offset += readSync(file, bytes, 0, bytes.length, offset);
      const all = Buffer.concat([rest, bytes]);
      const end = all.lastIndexOf(0x0a) + 1;
      rest = Buffer.from(all.subarray(end));
      for (const text of all.subarray(0, end).toString('utf8').split('\n')) {
        const line = parse(text);
        if (isLine(line)) lines.push(line);
      }
      return lines;
    } finally {
      closeSync(file);
    }
  };
}

function parse(text: string): unknown {
  try {
    return fromJson(text);
  } catch {
    return undefined;
  }
}

import { cpus, totalmem } from 'node:os';
import { type Chart, chartFile, markdownTable, type Table } from '@lmd/report';
import { writeFileAtomic } from '@lmd/safetensors/node';

/** The results of one command, as its JSON file has them. */
export interface ExampleRecord {
  readonly example: string;
  /** The command that writes this file again. */
  readonly command: string;
  /** ISO 8601, the day alone. */
  readonly date: string;
  /** Processor, cores, memory, platform. */
  readonly machine: string;
  readonly node: string;
  readonly seconds: number;
  /** Largest resident set of the process. */
  readonly peakMemoryBytes: number;
  /** What was trained and on what, as sentences. */
  readonly facts: readonly string[];
  readonly table: Table;
  /** The numbers behind the table. */
  readonly results: unknown;
}

export function machineName(): string {
  const [first, ...others] = cpus();
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return `${first?.model.trim() ?? 'unknown processor'}, ${others.length + 1} cores, ${gibibytes} GiB, ${process.platform} ${process.arch}`;
}

/** What was measured, when, where and by which command. */
export function captionOf(record: ExampleRecord): string {
  const { facts, command, date, machine, node, seconds, peakMemoryBytes } = record;
  const occasion =
    `Written by \`${command}\` on ${date}: ${machine}, Node ${node}; ` +
    `${seconds.toFixed(0)} s, peak memory ${mebibytes(peakMemoryBytes)}.`;
  return [...facts, occasion].join(' ');
}

/** The table with its caption. */
export function recordInMarkdown(record: ExampleRecord): string {
  return `${markdownTable(record.table)}\n\n${captionOf(record)}\n`;
}

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/**
 * Writes `<base>.json`, `<base>.md` and `<base>.svg`, each atomically.
 *
 * @returns the paths with their sizes in bytes.
 */
export async function writeRecord(
  base: string,
  record: ExampleRecord,
  chart: Chart | undefined,
): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const files: readonly (readonly [extension: string, text: string])[] = [
    ['json', `${JSON.stringify(record, null, 2)}\n`],
    ['md', recordInMarkdown(record)],
    ...(chart === undefined ? [] : [['svg', chartFile(chart)] as const]),
  ];
  const written: { path: string; bytes: number }[] = [];
  for (const [extension, text] of files) {
    const path = `${base}.${extension}`;
    await writeFileAtomic(path, text);
    written.push({ path, bytes: Buffer.byteLength(text) });
  }
  return written;
}

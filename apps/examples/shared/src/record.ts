import { cpus, totalmem } from 'node:os';
import {
  type Chart,
  chartFile,
  chartInPage,
  html,
  inlineCode,
  markdownTable,
  page,
  type Table,
  tableInPage,
} from '@lmd/report';
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

/** Processor, cores, memory and platform of this machine. */
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

/** What a record shows beside its table. */
export interface Figure {
  readonly chart?: Chart | undefined;
  readonly picture?: Uint8Array | undefined;
}

/** A self-contained page with the figure, the table and the caption. */
function recordInPage(record: ExampleRecord, { chart, picture }: Figure): string {
  const source = picture && `data:image/png;base64,${Buffer.from(picture).toString('base64')}`;
  return page(
    record.example,
    html`<header><h1>${record.example}</h1><p class="lead">${inlineCode(captionOf(record))}</p></header>
<section><h2>Results</h2>${tableInPage(record.table)}</section>
${chart && html`<section><figure><figcaption>${chart.label}</figcaption>${chartInPage(chart)}</figure></section>`}
${source && html`<section><h2>Pictures</h2><img alt="Pictures of ${record.example}" src="${source}"></section>`}`,
  );
}

/**
 * Writes `<base>.json`, `<base>.md`, `<base>.html`, and of the figure `<base>.svg` and `<base>.png`, each atomically.
 *
 * @returns the paths with their sizes in bytes.
 */
export async function writeRecord(
  base: string,
  record: ExampleRecord,
  figure: Figure,
): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const files: readonly (readonly [extension: string, contents: string | Uint8Array | undefined])[] = [
    ['json', `${JSON.stringify(record, null, 2)}\n`],
    ['md', recordInMarkdown(record)],
    ['html', recordInPage(record, figure)],
    ['svg', figure.chart && chartFile(figure.chart)],
    ['png', figure.picture],
  ];
  const written: { path: string; bytes: number }[] = [];
  for (const [extension, contents] of files) {
    if (contents === undefined) continue;
    const path = `${base}.${extension}`;
    await writeFileAtomic(path, contents);
    written.push({ path, bytes: Buffer.byteLength(contents) });
  }
  return written;
}

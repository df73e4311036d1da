import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { type CsvTable, csvError, readCsv } from './csv.js';
import { decoderOf, type ImageFiles, imageFilesOptionTable, type LabelledFile, openImageFiles } from './image-files.js';
import { refuseParquet } from './parquet.js';

const owner = 'openImageTable';

/** The options of `openImageTable`, declared once. */
export const imageTableOptionTable = {
  /** CSV file with a header; relative paths in it are relative to its folder. Required. */
  path: option.text({
    required: true,
    describe: 'CSV file with a header; relative paths in it are relative to its folder.',
  }),
  /** Column of the paths of the images. Default path. */
  pathColumn: option.text({ default: 'path', describe: 'Column of the paths of the images.' }),
  /** Column of the classes. Default label. */
  labelColumn: option.text({ default: 'label', describe: 'Column of the classes.' }),
  /** Name of the data in checkpoints. Default: the name of the file. */
  name: option.text({ describe: 'Name of the data in checkpoints. Default: the name of the file.' }),
  ...imageFilesOptionTable,
} as const satisfies OptionTable;

export interface ImageTableOptions extends OptionsOf<typeof imageTableOptionTable> {}

/**
 * Opens the images that a CSV file lists with their classes (RFC 4180, with a header). The classes are the distinct
 * labels, sorted as numbers if all are whole numbers, otherwise by code units. Images are in the order of the file, and
 * are decoded on demand, in background threads.
 *
 * @throws LmdError `DATA_CORRUPT` naming the line of a missing, repeated or empty value and of a file that does not
 * exist; `UNSUPPORTED` for a parquet file; `ENGINE_MISSING` if sharp is not installed and no decoder is given;
 * `FILE_SYSTEM`.
 */
export async function openImageTable(options: ImageTableOptions): Promise<ImageFiles> {
  const checked = resolveOptions(owner, imageTableOptionTable, options);
  const { path } = checked;
  const { rows, classNames } = readImageTable(path, checked);
  const labels = new Map(classNames.map((name, index) => [name, index]));
  const files = rows.map(({ line, name, label, file }): LabelledFile => {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() === true) return { path: file, name, label: labels.get(label)!, size: found.size };
    const remedy = `Paths are relative to ${dirname(resolve(path))}. Correct the line or add the file.`;
    throw csvError(path, line, `${name} is not a file`, remedy);
  });
  const decoder = await decoderOf(owner, checked);
  const name = checked.name ?? basename(resolve(path));
  return await openImageFiles(owner, { name, files, classNames }, checked, decoder, () =>
    empty(path, 'has no image that can be decoded', 'Check the files.'),
  );
}

interface TableColumns {
  readonly pathColumn: string;
  readonly labelColumn: string;
}

interface ImageTableRow {
  readonly line: number;
  /** As the file has it. */
  readonly name: string;
  readonly label: string;
  /** Absolute path. */
  readonly file: string;
}

/**
 * What a CSV file lists, without looking at the images.
 *
 * @param prefix of the options in errors: `data.` of a configuration whose `data` has them.
 * @throws LmdError as `openImageTable`.
 */
export function readImageTable(
  path: string,
  { pathColumn, labelColumn }: TableColumns,
  prefix = '',
): { readonly rows: readonly ImageTableRow[]; readonly classNames: readonly string[] } {
  refuseParquet(path, 'csv');
  const table = readCsv(path);
  for (const column of [pathColumn, labelColumn]) {
    if (!table.columns.includes(column)) throw missingColumn(path, column, table, prefix);
  }
  if (table.rows.length === 0) throw empty(path, 'lists no images', 'Add a line for each image.');
  const seen = new Map<string, number>();
  const rows = table.rows.map(({ line, values }) => {
    const [name, label] = [values[pathColumn]!, values[labelColumn]!];
    if (name === '') throw csvError(path, line, `${pathColumn} is empty`, 'Add the path of an image.');
    if (label === '') throw csvError(path, line, `${labelColumn} is empty`, 'Add the class of the image.');
    const file = resolve(dirname(path), name);
    const before = seen.get(file);
    if (before !== undefined) {
      throw csvError(path, line, `${name} is listed already, on line ${before}`, 'Remove one of the lines.');
    }
    seen.set(file, line);
    return { line, name, label, file };
  });
  return { rows, classNames: sortedLabels(rows.map(({ label }) => label)) };
}

function sortedLabels(labels: readonly string[]): string[] {
  const distinct = [...new Set(labels)];
  const areNumbers = distinct.every((label) => /^-?\d{1,15}$/.test(label));
  return distinct.sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
}

function missingColumn(path: string, column: string, { columns }: CsvTable, prefix: string): LmdError {
  const isSemicolons = columns.length === 1 && columns[0]!.includes(';');
  const remedy = isSemicolons
    ? 'Separate the values by commas: this file seems to use semicolons.'
    : `Name the columns with ${prefix}pathColumn and ${prefix}labelColumn.`;
  const found = columns.length === 0 ? 'none' : columns.join(', ');
  return csvError(path, 1, `there is no column ${column} in the header (columns: ${found})`, remedy);
}

function empty(path: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} ${problem}.`, { subject: path, value: 0, remedy });
}

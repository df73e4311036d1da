import { LmdError } from '@lmd/core';
import { CsvError, parse } from 'csv-parse/sync';
import { readUtf8Sync } from './utf8.js';

/** A record of a CSV file. */
export interface CsvRow {
  /** Line in the file, from 1, on which it ends. */
  readonly line: number;
  /** Values, by column. */
  readonly values: Readonly<Record<string, string>>;
}

/** A CSV file with a header. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Reads a CSV file as RFC 4180 defines it: separated by commas, quoted by `"`, with a header. Empty lines are ignored.
 *
 * @throws LmdError `DATA_CORRUPT` naming the line; `FILE_SYSTEM`.
 */
export function readCsv(path: string): CsvTable {
  const text = readUtf8Sync(path);
  let columns: readonly string[] = [];
  let records: readonly { readonly record: Record<string, string>; readonly info: { readonly lines: number } }[];
  try {
    records = parse(text, {
      columns: (header: string[]) => {
        columns = header;
        return header;
      },
      info: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = (cause as { readonly lines?: unknown }).lines;
    throw csvError(path, Number(line), reasonOf(cause, columns.length), 'Correct the line.', cause);
  }
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw csvError(path, 1, `the column ${twice} occurs twice`, 'Rename one of them.');
  return { columns, rows: records.map(({ record, info }) => ({ line: info.lines, values: record })) };
}

export function csvError(path: string, line: number, problem: string, remedy: string, cause?: unknown): LmdError {
  return new LmdError('DATA_CORRUPT', `${path}, line ${line}: ${problem}.`, {
    subject: path,
    value: line,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

function reasonOf(error: CsvError, columns: number): string {
  const { code, record } = error as unknown as { readonly code: string; readonly record?: readonly unknown[] };
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS' || code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
    return `it has ${record?.length ?? 'another number of'} values, but the header has ${columns} columns`;
  }
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote is not closed';
  return error.message.replace(/\.$/, '');
}

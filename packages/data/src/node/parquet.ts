import { closeSync, openSync, readSync } from 'node:fs';
import { LmdError } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';

const conversions = {
  csv: `pandas.read_parquet("data.parquet").to_csv("data.csv", index=False)`,
  jsonl: `pandas.read_parquet("data.parquet").to_json("data.jsonl", orient="records", lines=True)`,
} as const;

/**
 * Refuses a parquet file, by its first bytes.
 *
 * @param target format that is read instead.
 * @throws LmdError `UNSUPPORTED` that says how to convert it; `FILE_SYSTEM`.
 */
export function refuseParquet(path: string, target: keyof typeof conversions): void {
  const head = new Uint8Array(4);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, 4, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
  if (String.fromCharCode(...head) === 'PAR1') throw parquetError(path, target);
}

export function parquetError(path: string, target: keyof typeof conversions): LmdError {
  return new LmdError('UNSUPPORTED', `${path} is a parquet file, which is not supported.`, {
    subject: path,
    value: 'parquet',
    remedy: `Convert it in Python: import pandas; ${conversions[target]}.`,
  });
}

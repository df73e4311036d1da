import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LmdError } from '@lmd/core';
import type { LedgerRecord } from './record.js';
import { recordSchema } from './record-schema.js';

export interface LoadedLedger {
  readonly records: readonly LedgerRecord[];
  /** Bytes of whole lines; what follows is a torn last line. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
}

/**
 * Reads a ledger: one JSON record a line. A last line without its newline was torn by a crash and is left out. No file is an
 * empty ledger.
 *
 * @throws LmdError `DATA_CORRUPT` naming a whole line that is no record; `FILE_SYSTEM`.
 */
export async function readLedger(path: string): Promise<LoadedLedger> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { records: [], wholeBytes: 0, tornBytes: 0 };
    throw fileError(path, 'read', cause);
  }
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const records = lines.flatMap((line, index) => (line.trim() === '' ? [] : [parse(path, line, index + 1)]));
  return { records, wholeBytes, tornBytes: bytes.length - wholeBytes };
}

function parse(path: string, line: string, number: number): LedgerRecord {
  const damaged = (problem: string, cause?: unknown) =>
    new LmdError('DATA_CORRUPT', `${path}: line ${number} is not the record of a trial: ${problem}.`, {
      subject: path,
      value: number,
      remedy: 'Restore the file, or remove that line: its trial then runs again.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  const checked = recordSchema.safeParse(value);
  // The value itself, and not a copy: it is written to no other place, and hashes are of what it was.
  if (checked.success) return value as LedgerRecord;
  const { path: place, message } = checked.error.issues[0]!;
  throw damaged(`${place.map(String).join('.')} ${message}`);
}

/** A ledger open for appending. One process at a time: whoever opens it holds a lock on its folder. */
export class LedgerWriter {
  readonly #file: FileHandle;
  readonly path: string;
  /** Bytes of a torn last line that were cut off when it was opened. */
  readonly recovered: number;

  private constructor(path: string, file: FileHandle, recovered: number) {
    this.path = path;
    this.#file = file;
    this.recovered = recovered;
  }

  /** Opens the file, made where it is absent, and cuts off a torn last line. */
  static async open(path: string, loaded: LoadedLedger): Promise<LedgerWriter> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a');
      if (loaded.tornBytes > 0) await file.truncate(loaded.wholeBytes);
      return new LedgerWriter(path, file, loaded.tornBytes);
    } catch (cause) {
      throw fileError(path, 'open', cause);
    }
  }

  /** Appends one record as one write, and flushes it to the disk before it returns. */
  async append(record: LedgerRecord): Promise<void> {
    try {
      await this.#file.write(`${JSON.stringify(record)}\n`);
      await this.#file.datasync();
    } catch (cause) {
      throw fileError(this.path, 'write', cause);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function fileError(path: string, action: string, cause: unknown): LmdError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new LmdError(
    'FILE_SYSTEM',
    `The ledger ${path} could not be ${action === 'read' ? 'read' : `${action === 'open' ? 'opened' : 'written'}`}: ${message}.`,
    {
      subject: path,
      value: code,
      remedy: 'Check the permissions and the space of its folder, or name another with --out.',
      cause,
    },
  );
}

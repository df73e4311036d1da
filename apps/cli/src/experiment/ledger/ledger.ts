import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { LedgerRecord } from './record.js';
import { recordSchema } from './record-schema.js';
import { fromVersion1, isVersion1 } from './version-1.js';

export interface LoadedLedger {
  readonly records: readonly LedgerRecord[];
  /** Bytes of the complete lines of the open ledger; an incomplete last line may follow. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
}

/**
 * Paths of the records of a folder: finished ones may be packed for git, and new ones are appended to the open ledger.
 */
export function ledgerPaths(folder: string) {
  return { open: join(folder, 'ledger.jsonl'), packed: join(folder, 'ledger.jsonl.gz') };
}

/**
 * Reads the ledger of a folder: one JSON record per line, the packed ones first. A last line without a newline is the
 * remainder of a crash and is skipped. A missing file is an empty ledger.
 *
 * @throws LmdError `DATA_CORRUPT` naming a complete line that is not a record, or a damaged packed file; `FILE_SYSTEM`.
 */
export async function readLedger(folder: string): Promise<LoadedLedger> {
  const { open: path, packed } = ledgerPaths(folder);
  const archive = await contentsOf(packed);
  const bytes = await contentsOf(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const records = [...parseLines(packed, unpack(packed, archive)), ...parseLines(path, bytes.subarray(0, wholeBytes))];
  return { records, wholeBytes, tornBytes: bytes.length - wholeBytes };
}

async function contentsOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw fileError(path, 'read', cause);
  }
}

function unpack(path: string, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `${path} is not a complete gzip file.`, {
      subject: path,
      remedy: 'Restore it from git.',
      cause,
    });
  }
}

function parseLines(path: string, bytes: Buffer): LedgerRecord[] {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parse(path, line, index + 1)]));
}

/** Moves all records of the open ledger into the packed one, atomically. No trial may be running. */
export async function packLedger(folder: string): Promise<void> {
  const { open: path, packed } = ledgerPaths(folder);
  const lines = Buffer.concat([unpack(packed, await contentsOf(packed)), await contentsOf(path)]);
  // A fixed header, so that the same records give the same bytes.
  await writeFileAtomic(packed, gzipSync(lines, { level: 9 }));
  await rm(path, { force: true });
}

function parse(path: string, line: string, number: number): LedgerRecord {
  const damaged = (problem: string, cause?: unknown) =>
    new LmdError('DATA_CORRUPT', `${path}: line ${number} is not the record of a trial: ${problem}.`, {
      subject: path,
      value: number,
      remedy: 'Restore the file, or delete that line to run its trial again.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  const checked = recordSchema.safeParse(value);
  if (!checked.success) {
    const { path: place, message } = checked.error.issues[0]!;
    throw damaged(`${place.map(String).join('.')} ${message}`);
  }
  // The value itself, not a parsed copy: the hash is that of the original value.
  const record = value as LedgerRecord;
  return isVersion1(record) ? fromVersion1(record) : record;
}

/** A ledger open for appending. It holds a lock on its folder, so that only one process can open it. */
export class LedgerWriter {
  readonly #file: FileHandle;
  readonly path: string;
  /** Bytes of an incomplete last line that were removed when it was opened. */
  readonly recovered: number;

  private constructor(path: string, file: FileHandle, recovered: number) {
    this.path = path;
    this.#file = file;
    this.recovered = recovered;
  }

  /** Opens the file, creating it if it is missing, and removes an incomplete last line. */
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
      remedy: 'Check the permissions and the space of its folder, or use another with --out.',
      cause,
    },
  );
}

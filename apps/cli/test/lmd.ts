import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import type { Event } from '../src/run/events.js';

export const program = inject('program');

/** The smoke preset, smaller still, on the backend that starts and runs it fastest. */
export const tiny = ['smoke', '--set', 'steps=16', 'evaluation.every=8', 'checkpoints.every=4', 'backend=cpu'];

/** A folder for the tests of one file, removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly Event[];
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
}

/** Starts the built `lmd`. `onEvent` sees each line of `--json` as it comes. */
export function start(
  words: readonly string[],
  cwd: string,
  onEvent: (event: Event, child: ChildProcess) => void = () => {},
  environment: Readonly<Record<string, string>> = {},
): Running {
  const { NO_COLOR: _, LMD_DEBUG: __, npm_lifecycle_event: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...words], { cwd, env: { ...inherited, ...environment } });
  const isJson = words.includes('--json');
  const events: Event[] = [];
  let stdout = '';
  let stderr = '';
  let parsed = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (let end = stdout.indexOf('\n', parsed); isJson && end >= 0; end = stdout.indexOf('\n', parsed)) {
      const event = JSON.parse(stdout.slice(parsed, end)) as Event;
      parsed = end + 1;
      events.push(event);
      onEvent(event, child);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, events }));
  });
  return { child, done };
}

export function lmd(
  words: readonly string[],
  cwd: string,
  environment?: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return start(words, cwd, undefined, environment).done;
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

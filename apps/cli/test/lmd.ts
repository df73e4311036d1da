import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { CommandServer } from '../../../vitest.commands.js';
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

/** The environment of a command: that of the tests, without what changes its output. */
function environmentWith(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { NO_COLOR: _, LMD_DEBUG: __, npm_lifecycle_event: ___, ...inherited } = process.env;
  return { ...inherited, ...changes };
}

/** Starts the built `lmd`. `onEvent` sees each line of `--json` as it comes. */
export function start(
  words: readonly string[],
  cwd: string,
  onEvent: (event: Event, child: ChildProcess) => void = () => {},
  environment: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, [program, ...words], { cwd, env: environmentWith(environment) });
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

/** Runs the built `lmd` in a process of its own, for what depends on how it starts or ends. */
export function lmdProcess(
  words: readonly string[],
  cwd: string,
  environment?: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return start(words, cwd, undefined, environment).done;
}

const server = new CommandServer(program, environmentWith({}));
afterAll(() => server.close());

/** Runs the built `lmd`, in the process that runs all such commands of a test file one after another. */
export async function lmd(words: readonly string[], cwd: string): Promise<Outcome> {
  const { code, stdout, stderr } = await server.run(words, cwd);
  const lines = words.includes('--json') ? stdout.split('\n').filter((line) => line !== '') : [];
  return { code, signal: null, stdout, stderr, events: lines.map((line) => JSON.parse(line) as Event) };
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

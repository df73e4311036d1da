import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastCall } from './call-file.js';
import { childArgument } from './child.js';
import type { BackendFacts, ChildMessage, ChildRequest, SpeedRow, TestOutcome } from './messages.js';

export interface ProcessEvents {
  onCreated?(facts: BackendFacts): void;
  onBegin?(test: string): void;
  onOutcome?(outcome: TestOutcome): void;
  onSpeed?(row: SpeedRow): void;
}

/** How a test process ended. */
export type End =
  | { readonly kind: 'done' }
  | { readonly kind: 'unusable'; readonly message: string; readonly usage: boolean }
  /** It hung or crashed, in a test or, without one, elsewhere. */
  | { readonly kind: 'stopped'; readonly test: string | undefined; readonly message: string };

/** Test processes of one program, one at a time. */
export interface TestHost {
  /** @param limit seconds for the import with `create`, and for each test. */
  run(request: Omit<ChildRequest, 'key'>, limit: number, events: ProcessEvents): Promise<End>;
  close(): void;
}

/** @param bin the path of the program, which is its own test process. */
export function openTestHost(bin: string): TestHost {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-conformance-'));
  const path = join(folder, 'call');
  let child: ChildProcess | undefined;
  const close = () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  // Also when the command is interrupted: a process in an endless loop would outlive it.
  process.once('exit', close);
  return {
    run(request, limit, events) {
      writeFileSync(path, '');
      // Its output is the backend's own; standard output belongs to the command.
      child = fork(bin, [childArgument, path], { stdio: ['ignore', 2, 2, 'ipc'] });
      return watch(child, path, { ...request, key: randomUUID() }, limit, events);
    },
    close() {
      process.off('exit', close);
      close();
    },
  };
}

function watch(
  child: ChildProcess,
  path: string,
  request: ChildRequest,
  limit: number,
  events: ProcessEvents,
): Promise<End> {
  return new Promise((resolve, reject) => {
    let test: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let end: End | undefined;
    let crash: string | undefined;
    const restart = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        end = { kind: 'stopped', test, message: hangMessage(path, limit) };
        child.kill('SIGKILL');
      }, limit * 1000);
    };
    child.once('error', reject);
    child.on('message', (message: (ChildMessage & { readonly key?: string }) | null) => {
      if (message?.key !== request.key) return;
      restart();
      if (message.type === 'created') events.onCreated?.(message.facts);
      else if (message.type === 'begin') {
        test = message.test;
        events.onBegin?.(test);
      } else if (message.type === 'outcome') {
        test = undefined;
        events.onOutcome?.(message.outcome);
      } else if (message.type === 'speed') events.onSpeed?.(message.row);
      else if (message.type === 'crash') crash = message.message;
      else if (message.type === 'done') end = { kind: 'done' };
      else end = { kind: 'unusable', message: message.message, usage: message.usage };
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(end ?? { kind: 'stopped', test, message: crashMessage(path, signal ?? `exit code ${code}`, crash) });
    });
    restart();
    child.send(request);
  });
}

function hangMessage(path: string, limit: number): string {
  const last = lastCall(path);
  const remedy = 'If the backend is only slow, use a larger --timeout.';
  if (last === undefined) return `The process has not started within ${limit} s. ${remedy}`;
  const { call, returned } = last;
  if (returned) return `The test has not ended within ${limit} s; its last call was ${call}. ${remedy}`;
  return `${call} has not finished within ${limit} s. ${remedy}`;
}

function crashMessage(path: string, how: string, crash: string | undefined): string {
  const last = lastCall(path);
  const where = last === undefined ? '' : ` ${last.returned ? 'after' : 'in'} ${last.call}`;
  return `The process ended with ${how}${where}${crash === undefined ? '' : `: ${crash}`}.`;
}

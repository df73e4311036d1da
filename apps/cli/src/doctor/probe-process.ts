import { fork } from 'node:child_process';
import type { BackendName } from '../engine/names.js';
import type { BackendDiagnosis } from './probe.js';

/** The hidden argument with which `lmd` probes one backend in its own process. */
export const probeArgument = '__probe';

/** Engines that print to the console, may crash the process, or change the global TensorFlow.js. */
const apart: readonly BackendName[] = ['webgpu', 'tfjs-node', 'tfjs-node-gpu', 'tfjs-wasm'];

export function needsProcess(name: BackendName): boolean {
  return apart.includes(name);
}

/** Time limit; a working driver responds sooner. */
const patience = 60_000;

/**
 * Probes a backend in a separate process, which is `program` with a hidden argument. If it does not work, the reason
 * includes the output of the engine without source locations.
 */
export function diagnoseInProcess(program: string, name: BackendName): Promise<BackendDiagnosis> {
  return new Promise((resolve) => {
    const child = fork(program, [probeArgument, name], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], timeout: patience });
    let printed = '';
    let diagnosis: BackendDiagnosis | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    child.on('message', (message: BackendDiagnosis) => {
      diagnosis = message;
    });
    child.on('error', (error) => resolve({ name, works: false, reason: `It could not be probed: ${error.message}.` }));
    child.on('close', (code, signal) => {
      const { works, reason = endedEarly(code, signal) } = diagnosis ?? { works: false };
      resolve(works ? diagnosis! : { name, works, reason: [reason, ...engineNotes(printed)].join(' ') });
    });
  });
}

function endedEarly(code: number | null, signal: NodeJS.Signals | null): string {
  const end = signal === null ? `exit code ${code}` : signal;
  return (
    `Its engine crashed the process that probed it (${end}). Update the engine or its driver, or use another ` +
    'backend.'
  );
}

/** Each distinct message that an engine printed, on one line and without its stack trace. */
export function engineNotes(printed: string): string[] {
  const lines = printed.split('\n').filter((line) => /\S/.test(line) && !/^\s+at /.test(line));
  return [
    ...new Set(
      lines.map((line) =>
        line
          .trim()
          .replace(/^Warning: /, '')
          .replace(/\.$/, ''),
      ),
    ),
  ]
    .slice(0, 3)
    .map((line) => `Engine output: ${line}.`);
}

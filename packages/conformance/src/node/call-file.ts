import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { CallTrace } from '../traced-backend.js';

/**
 * The call that a test process is in, in a file that survives it. A message to the parent could not be sent by a
 * process that hangs in a loop or crashes; a write is complete when it returns.
 */
export interface CallFile extends CallTrace {
  close(): void;
}

const running = '>';
const returned = '.';

export function openCallFile(path: string): CallFile {
  const file = openSync(path, 'w');
  return {
    begin: (call) => void writeSync(file, `${running}${call.replaceAll('\n', ' ')}\n`, 0),
    end: () => void writeSync(file, returned, 0),
    close: () => closeSync(file),
  };
}

/** The last call of a process, and whether it had returned. Undefined if there was none. */
export function lastCall(path: string): { readonly call: string; readonly returned: boolean } | undefined {
  const text = readFileSync(path, 'utf8');
  if (text === '') return undefined;
  return { call: text.slice(1, text.indexOf('\n')), returned: text.startsWith(returned) };
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Interrupted, StudyError } from './errors.mjs';

/** A terminal and npm may both pass on one Ctrl-C. */
const onceMilliseconds = 1000;
const lockedMilliseconds = 600_000;

/**
 * Runs the built `lmd`, one command at a time, by its command line alone. Ctrl-C goes on to it once: it finishes its step, saves and
 * ends. A second one ends it at once.
 */
export function createLmd({ program }) {
  let child;
  let stoppedAt;
  const onSignal = () => {
    if (stoppedAt !== undefined && performance.now() - stoppedAt < onceMilliseconds) return;
    if (stoppedAt === undefined) process.stderr.write('\nStopping; lmd finishes its step and saves.\n');
    stoppedAt = performance.now();
    child?.kill('SIGINT');
  };
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, onSignal);

  function run(words, { onEvent, stopAt }) {
    return new Promise((resolve, reject) => {
      // On a terminal in a group of its own: Ctrl-C would go to it as well as to the tool, and two mean "at once".
      child = spawn(process.execPath, [program, ...words, '--json'], {
        detached: process.platform !== 'win32' && process.stdin.isTTY === true,
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      });
      const ended = { code: null, last: undefined, errors: '', stopped: false };
      const toSend = ['SIGINT', 'SIGTERM'];
      child.stderr.setEncoding('utf8').on('data', (text) => {
        ended.errors = (ended.errors + text).slice(-4000);
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.startsWith('{')) return;
        const event = JSON.parse(line);
        ended.last = event;
        onEvent?.(event);
        // With the next event the one to stop at is written down. A step after that is the last: what would follow it is given up.
        if (ended.stopped && toSend.length > 0 && (toSend.length === 2 || event.type === 'step'))
          child?.kill(toSend.shift());
        else if (!ended.stopped) ended.stopped = stopAt?.(event) === true;
      });
      child.on('error', reject);
      child.on('close', (code) => {
        child = undefined;
        resolve({ ...ended, code });
      });
    });
  }

  /** What a killed tool has left running ends within its step: it is waited for. */
  async function runPatiently(words, options) {
    for (const began = performance.now(); ; ) {
      const ended = await run(words, options);
      const locked = ended.code !== 0 && ended.last?.type === 'error' && ended.last.code === 'RUN_LOCKED';
      if (!locked || stoppedAt !== undefined || performance.now() - began > lockedMilliseconds) return ended;
      await wait(1000);
    }
  }

  return {
    /**
     * Runs a command and gives its last line.
     *
     * @param onEvent sees each line.
     * @param stopAt a test of each line: after the first that passes, the command is stopped as by Ctrl-C, and that is no failure.
     * @param accept codes of errors that are a result: given back as a line of type `error`.
     */
    async lmd(words, { onEvent, stopAt, accept = [] } = {}) {
      if (stoppedAt !== undefined) throw new Interrupted();
      const { code, last, errors, stopped } = await runPatiently(words, { onEvent, stopAt });
      if (stoppedAt !== undefined && code !== 0) throw new Interrupted();
      if (code === 0 || (stopped && (code === 130 || code === null))) return last;
      if (last?.type === 'error' && accept.includes(last.code)) return last;
      throw new StudyError(
        `lmd ${words.join(' ')}\nended with ${code ?? 'a signal'}: ${errors.trim()}`,
        code === 2 ? 2 : 1,
      );
    },
    dispose() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

import { terminalOutput } from '@lmd/training/node';
import { describe, expect, it } from 'vitest';
import { Progress } from './progress.js';
import type { RecordedResult } from './result.js';
import type { PlannedTrial } from './trial.js';

describe('progress', () => {
  const trial = { label: 'final lmd fp32 seed 0', steps: 10 } as PlannedTrial;
  const state = { done: 1, total: 4, secondsLeft: 30, running: [{ trial, step: 3 }] };
  const show = (terminal: boolean) => {
    let text = '';
    const output = terminalOutput({ write: (part) => (text += part) });
    const progress = new Progress((part) => void output.write(part), terminal, 60);
    progress.running(state);
    progress.finished({ trial, result: { accuracy: 0.5, loss: 1, diverged: false } as RecordedResult, state });
    progress.finished({ trial, result: { accuracy: null, loss: null, diverged: true } as RecordedResult, state });
    return text;
  };

  it('writes one line over on a terminal', () => {
    const line = '[1/4] final lmd fp32 seed 0 3/10; 30 s left';
    expect(show(true).startsWith(`${line}\r\u001b[K[1/4] final lmd fp32 seed 0: 50.00 %`)).toBe(true);
  });

  it('writes no control character of a name, and no line wider than the terminal', () => {
    let text = '';
    const output = terminalOutput({ write: (part) => (text += part) });
    const hostile = { ...trial, label: `\u001b]52;c;aGk=\u0007${'x'.repeat(100)}\u009b2J` };
    const progress = new Progress((part) => void output.write(part), true, 60);
    progress.running({ ...state, running: [{ trial: hostile, step: 3 }] });
    progress.say(hostile.label);
    const own = text.replaceAll('\r\u001b[K', '');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
    expect(own).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('says that the time left is not known before a trial has been timed', () => {
    let text = '';
    const progress = new Progress((part) => (text += part), true, 80);
    progress.running({ ...state, secondsLeft: undefined });
    expect(text).toContain('time left not known yet');
  });

  it('writes a line a trial elsewhere', () => {
    expect(show(false)).toBe(
      '[1/4] final lmd fp32 seed 0: 50.00 %, loss 1.0000; 30 s left\n[1/4] final lmd fp32 seed 0: diverged; 30 s ' +
        'left\n',
    );
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { interruptSignal } from './interrupt-signal.js';

class Exit extends Error {}

describe('interruptSignal', () => {
  const tell = vi.fn();
  let interrupt: ReturnType<typeof interruptSignal>;

  beforeEach(() => {
    tell.mockClear();
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(String(code));
    });
    interrupt = interruptSignal(tell);
  });

  afterEach(() => {
    interrupt.dispose();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('aborts on %s, and says so once', (name) => {
    process.emit(name);
    expect(interrupt.signal.aborted).toBe(true);
    process.emit('SIGINT');
    expect(tell).toHaveBeenCalledOnce();
  });

  it('takes signals within a second for one, and exits with 130 on a later one', () => {
    process.emit('SIGINT');
    vi.advanceTimersByTime(999);
    process.emit('SIGINT');
    vi.advanceTimersByTime(1);
    expect(() => process.emit('SIGINT')).toThrow(new Exit('130'));
  });

  it('leaves the signals alone when disposed of', () => {
    const before = process.listenerCount('SIGINT');
    interrupt.dispose();
    expect(process.listenerCount('SIGINT')).toBe(before - 1);
  });
});

import { LmdError } from '@lmd/core';
import { MxFormatError } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { asLmdError, describeError, deserializeError, exitCodeOf, serializeError, UsageError } from './errors.js';

const typed = new LmdError('DATA_CORRUPT', 'The file is cut.', {
  subject: 'a.idx',
  value: 3,
  remedy: 'Copy it again.',
});

describe('exit codes', () => {
  it('tell usage, interruption and failure apart', () => {
    expect(exitCodeOf(new UsageError('UNKNOWN_OPTION', 'x'))).toBe(2);
    expect(exitCodeOf(new LmdError('INTERRUPTED', 'x'))).toBe(130);
    expect(exitCodeOf(typed)).toBe(1);
    expect(exitCodeOf(new Error('x'))).toBe(1);
  });
});

describe('describeError', () => {
  it('is the message of a typed error, remedy included, and nothing more', () => {
    expect(describeError(typed, false)).toBe('The file is cut. Copy it again.');
    expect(
      describeError(new MxFormatError('INVALID_ARGUMENT', 'No such format.', { remedy: 'Use e2m1.' }), false),
    ).toBe('No such format. Use e2m1.');
  });

  it('says how to find where any other error comes from', () => {
    expect(describeError(new Error('x is not a function'), false)).toMatch(/x is not a function.*LMD_DEBUG=1/);
    expect(describeError(typed, true)).toContain('errors.test.ts');
  });

  it("words the system's errors with a remedy", () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path: '/runs/x' });
    expect(asLmdError(full)).toMatchObject({ code: 'FILE_SYSTEM', subject: '/runs/x', value: 'ENOSPC' });
    expect(describeError(full, false)).toContain('The disk is full');
    expect(asLmdError('text')).toBe('text');
  });
});

describe('crossing from child to parent', () => {
  it('keeps code, message, subject, remedy and stack', () => {
    const crossed = deserializeError(structuredClone(serializeError(typed))) as LmdError;
    const { code, message, subject, remedy, stack } = typed;
    expect(crossed).toMatchObject({ code, message, subject, remedy, stack });
  });

  it('keeps other errors as they are', () => {
    expect(deserializeError(serializeError(new Error('plain'))).message).toBe('plain');
    expect(deserializeError(serializeError('text')).message).toBe('text');
  });
});

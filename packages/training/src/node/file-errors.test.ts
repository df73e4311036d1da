import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { fileSystemError } from './file-errors.js';

describe('fileSystemError', () => {
  const errno = (code: string) => Object.assign(new Error(`${code}: syscall failed`), { code, errno: -1 });

  it.each([
    ['EROFS', /read-only/],
    ['ENOSPC', /full/],
    ['EACCES', /permissions/],
    ['EWHATEVER', /See the cause/],
  ])('words %s with the path and a remedy', (code, remedy) => {
    const error = fileSystemError('write', '/runs/model.safetensors', errno(code));
    expect(isLmdError(error, 'FILE_SYSTEM')).toBe(true);
    expect(String(error)).toContain(`Could not write /runs/model.safetensors (${code}).`);
    expect(String(error)).toMatch(remedy);
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('lets errors of other kinds pass', () => {
    for (const error of [new TypeError('no'), Object.assign(new Error('cut'), { code: 'TRUNCATED' }), null, 'text']) {
      expect(fileSystemError('read', '/x', error)).toBe(error);
    }
  });
});

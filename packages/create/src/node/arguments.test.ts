import { describe, expect, it } from 'vitest';
import { parseCommandLine, usage } from './arguments.js';
import { CreateError } from './errors.js';

describe('parseCommandLine', () => {
  it('takes a folder and a kind, in any order', () => {
    const expected = { folder: 'mine', kind: 'plugin' };
    expect(parseCommandLine(['mine', '--kind', 'plugin'])).toEqual(expected);
    expect(parseCommandLine(['--kind=plugin', 'mine'])).toEqual(expected);
  });

  it('shows help', () => {
    expect(parseCommandLine(['-h'])).toBe('help');
    expect(usage).toContain('backend | optimizer | plugin');
  });

  it.each([
    [[], 'The folder is missing'],
    [['mine'], '--kind is missing'],
    [['a', 'b', '--kind', 'plugin'], 'more than one folder: a, b'],
    [['mine', '--type', 'plugin'], '--type'],
    [['mine', '--kind'], '--kind'],
  ])('refuses %j', (words, text) => {
    const parse = () => parseCommandLine(words);
    expect(parse).toThrow(CreateError);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(text) }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { escapeControls, terminalOutput, verbatim, withoutVerbatim } from './terminal-output.js';

const everyControl = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter(
  (character) => character !== '\n' && !/[ -~]/.test(character),
);

describe('terminalOutput', () => {
  it('escapes C0, DEL and C1, and keeps newlines and all other text', () => {
    expect(everyControl).toHaveLength(64);
    for (const character of everyControl) {
      const code = character.charCodeAt(0).toString(16).padStart(4, '0');
      expect(escapeControls(`a${character}b`)).toBe(`a\\u${code}b`);
    }
    expect(escapeControls('µ → 学 é 🎲\n')).toBe('µ → 学 é 🎲\n');
  });

  it('gives JSON that means the same', () => {
    const value = { name: everyControl.join('') };
    expect(JSON.parse(escapeControls(JSON.stringify(value)))).toEqual(value);
  });

  it('writes what the program marked as it is, and lets no text forge the mark', () => {
    const bold = `${verbatim('\u001b[1m')}x\u001b[2J${verbatim('\u001b[22m')}`;
    expect(escapeControls(bold)).toBe('\u001b[1mx\\u001b[2J\u001b[22m');
    expect(withoutVerbatim(bold)).toBe('x\u001b[2J');
    for (const forged of ['\u001b[<\u001b[2J>\u0007', '\u001b[0123456789abcdef<\u001b[2J>0123456789abcdef\u0007']) {
      expect(escapeControls(forged)).not.toContain('\u001b');
    }
  });

  it('passes on what the stream says of itself', () => {
    let text = '';
    const output = terminalOutput({ write: (part) => (text += part), isTTY: true, columns: 60 });
    output.write('\u009b31m');
    expect([text, output.isTTY, output.columns]).toEqual(['\\u009b31m', true, 60]);
  });
});

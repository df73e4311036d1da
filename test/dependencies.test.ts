import { describe, expect, it } from 'vitest';
import { judgeAudit } from '../scripts/audit.mjs';
import { isPermissive, licencesOfDependencies, refusedLicences } from '../scripts/licences.mjs';

describe('licences of dependencies', () => {
  it.each<[string, boolean]>([
    ['MIT', true],
    ['(Apache-2.0 AND BSD-3-Clause)', true],
    ['GPL-3.0-only OR MIT', true],
    ['MIT AND GPL-3.0-only', false],
    ['LGPL-3.0-or-later', false],
    ['none stated', false],
    ['SEE LICENSE IN LICENSE', false],
  ])('%s: permissive %s', (licence, expected) => {
    expect(isPermissive(licence)).toBe(expected);
  });

  it('are read from what is installed, also from what is bundled and asked for', () => {
    const found = licencesOfDependencies();
    expect(found.get('zod')).toEqual({ licences: new Set(['MIT']), by: new Set(['@lmd/cli']) });
    expect(found.get('d3-scale')?.by).toEqual(new Set(['@lmd/cli']));
    expect(found.get('@tensorflow/tfjs-core')?.by).toContain('@lmd/tfjs');
    expect([...found.keys()].filter((name) => name.startsWith('@lmd/'))).toEqual([]);
    expect(refusedLicences(found)).toEqual([]);
  });

  it('are refused by name if they are not permissive, except for the named exceptions', () => {
    const of = (licence: string) => ({ licences: new Set([licence]), by: new Set(['@lmd/core']) });
    const given = new Map([
      ['copyleft', of('GPL-3.0-only')],
      ['@img/sharp-libvips-linux-x64', of('LGPL-3.0-or-later')],
    ]);
    expect(refusedLicences(given)).toEqual(['copyleft: GPL-3.0-only']);
  });
});

describe('the audit', () => {
  const advisory = (severity: string) => ({
    severity,
    module_name: 'left',
    title: 'Reads too far',
    patched_versions: '>=2',
  });
  const answer = (...severities: string[]) => JSON.stringify({ advisories: { ...severities.map(advisory) } });

  it('fails for a high or critical vulnerability, the worst first', () => {
    expect(judgeAudit(answer('low', 'critical'))).toEqual({
      fails: true,
      lines: ['critical: left: Reads too far (mended in >=2)', 'low: left: Reads too far (mended in >=2)'],
    });
    expect(judgeAudit(answer('moderate')).fails).toBe(false);
    expect(judgeAudit(answer())).toEqual({ fails: false, lines: [] });
  });

  it('says why if the registry does not answer', () => {
    expect(judgeAudit('{ "error": { "code": "ERR_PNPM_AUDIT_BAD_RESPONSE" } }').unanswered).toBe(
      'ERR_PNPM_AUDIT_BAD_RESPONSE',
    );
    expect(judgeAudit('connect ECONNREFUSED\nmore').unanswered).toBe('connect ECONNREFUSED');
  });
});

// npm run audit, part of npm run check: asks the npm registry for known vulnerabilities of the production dependencies.
// High and critical ones fail; others are printed. A registry that does not answer audits is not a failure of ours: the
// last line then says that none was made.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib.mjs';

/**
 * What `pnpm audit --json` has answered: why there is no audit, or the vulnerabilities, the worst first.
 *
 * @param {string} output
 * @returns {{ unanswered?: string, fails: boolean, lines: string[] }}
 */
export function judgeAudit(output) {
  let answer;
  try {
    answer = JSON.parse(output);
  } catch {
    return { unanswered: output.trim().split('\n')[0] || 'no output', fails: false, lines: [] };
  }
  if (answer.advisories === undefined) {
    return { unanswered: answer.error?.code ?? 'an answer without advisories', fails: false, lines: [] };
  }
  const order = ['critical', 'high', 'moderate', 'low', 'info'];
  const found = Object.values(answer.advisories).sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return {
    fails: found.some(({ severity }) => severity === 'critical' || severity === 'high'),
    lines: found.map(
      ({ severity, module_name, title, patched_versions }) =>
        `${severity}: ${module_name}: ${title} (mended in ${patched_versions})`,
    ),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
  const options = { cwd: root, encoding: 'utf8', timeout: 120_000 };
  const { stdout, stderr, error } = spawnSync(process.execPath, [pnpm, 'audit', '--prod', '--json'], options);
  const { unanswered, fails, lines } = judgeAudit(stdout || stderr || (error?.message ?? ''));
  for (const line of lines) console.log(line);
  if (unanswered !== undefined) {
    console.log(`No audit was made: the registry does not answer it (${unanswered}). Run npm run audit elsewhere.`);
  } else {
    console.log(`${lines.length} known vulnerabilities of production dependencies.`);
  }
  if (fails) {
    console.error('Update the packages named above: pnpm update, or an override in package.json.');
    process.exitCode = 1;
  }
}

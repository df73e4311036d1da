// The tests that need a browser: the conformance suite on WebGPU and on wasm in Chromium. Finds a Chromium, or says why there is none and
// ends with 0, or with 1 under --require. Vitest's report goes to packages/conformance/.vitest/browser-report.json.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root, run } from './lib.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

function findChromium() {
  const given = process.env.LMD_CHROMIUM;
  if (given !== undefined) {
    return existsSync(given) ? { path: given } : { reason: `LMD_CHROMIUM names ${given}, which does not exist` };
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const folders = (process.env.PATH ?? process.env.Path ?? '').split(delimiter);
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name + suffix)));
  candidates.push('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
  for (const path of candidates) {
    if (!existsSync(path)) continue;
    const { status } = spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 });
    if (status === 0) return { path };
  }
  return {
    reason: `no ${names.join(', ')} in PATH; set LMD_CHROMIUM to one, or install it (Debian: apt-get install chromium)`,
  };
}

const require = process.argv.includes('--require');
const rest = process.argv.slice(2).filter((argument) => argument !== '--require');
const folder = join(root, 'packages', 'conformance');
const report = join(folder, '.vitest', 'browser-report.json');
rmSync(report, { force: true });

const { path, reason } = findChromium();
if (path === undefined) {
  console.log(`Browser tests skipped: ${reason}.`);
  process.exitCode = require ? 1 : 0;
} else {
  console.log(`Browser tests in ${path}`);
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const code = await run(process.execPath, [vitest, 'run', '--config', 'vitest.browser.config.ts', ...rest], {
    stdout: 'inherit',
    cwd: folder,
    env: { LMD_CHROMIUM: path },
  });
  const written = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  if (written === undefined) console.log('No report was written.');
  else {
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = written;
    console.log(`Browser tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  process.exitCode = code !== 0 || written === undefined || written.numPassedTests === 0 ? 1 : 0;
}

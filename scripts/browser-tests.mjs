// Runs the tests that need Chromium. In the browser: the conformance suite on WebGPU and on wasm, @lmd/tfjs on WebGPU
// and WebGL, @lmd/inference, and models of @lmd/onnx in transformers.js, which is installed once (475 MB) unless
// LMD_TRANSFORMERSJS names its folder. The playground, driven in a page. The site, with axe and Lighthouse, which are
// installed once in build/lighthouse (186 MB) unless LMD_LIGHTHOUSE names the folder. In Node: WebGPU with Dawn on the
// software Vulkan driver of Chromium. Without Chromium it prints the reason and exits with 0, or with 1 if --require is
// given. Other arguments, such as names of browser test files, are passed to vitest. Vitest's reports go to
// .vitest/browser-report.json and .vitest/webgpu.json of each package.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { installLighthouse } from '../dev/engines/lighthouse/install.mjs';
import { installTransformersJs } from '../dev/engines/transformersjs/install.mjs';
import { root, run } from './lib.mjs';
import { browserFolders, webgpuParts } from './parts.mjs';
import { countReport, summaryOf } from './reports.mjs';
import { runSuite } from './suites.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

function findChromium() {
  const given = process.env.LMD_CHROMIUM;
  if (given !== undefined) {
    return existsSync(given) ? { path: given } : { reason: `LMD_CHROMIUM is ${given}, which does not exist` };
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
    reason:
      `PATH has no ${names.join(', ')}; set LMD_CHROMIUM to the path of Chromium, or install it (Debian: ` +
      'apt-get install chromium)',
  };
}

const require = process.argv.includes('--require');
const rest = process.argv.slice(2).filter((argument) => argument !== '--require');
const { path, reason } = findChromium();
if (path === undefined) {
  console.log(`Browser tests skipped: ${reason}.`);
  process.exitCode = require ? 1 : 0;
} else {
  console.log(`Browser tests in ${path}`);
  const transformersJs =
    process.env.LMD_TRANSFORMERSJS ??
    (await installTransformersJs({
      folder: join(root, 'node_modules', '.cache', 'lmd-transformersjs'),
      log: (line) => console.log(line),
    }));
  const lighthouse =
    process.env.LMD_LIGHTHOUSE ??
    (await installLighthouse({ folder: join(root, 'build', 'lighthouse'), log: (line) => console.log(line) }).catch(
      (error) => {
        console.log(`The tests of the site with axe and Lighthouse are skipped: ${error.message}`);
      },
    ));
  let failed = require && lighthouse === undefined;
  let total = 0;
  for (const name of browserFolders) {
    const folder = join(root, name);
    const report = join(folder, '.vitest', 'browser-report.json');
    rmSync(report, { force: true });
    const vitest = createRequire(join(folder, 'package.json')).resolve('vitest/package.json');
    const options = ['--config', 'vitest.browser.config.ts', ...(rest.length > 0 ? ['--passWithNoTests'] : [])];
    const code = await run(process.execPath, [join(dirname(vitest), 'vitest.mjs'), 'run', ...options, ...rest], {
      stdout: 'inherit',
      cwd: folder,
      env: {
        LMD_CHROMIUM: path,
        LMD_TRANSFORMERSJS: transformersJs,
        ...(lighthouse && { LMD_LIGHTHOUSE: lighthouse }),
      },
    });
    const count = countReport(report);
    failed ||= code !== 0 || count.failed > 0;
    total += count.passed;
    console.log(`${name} in a browser: ${summaryOf(count)}${count.note === '' ? '' : ` (${count.note})`}`);
  }
  if (rest.length === 0) {
    console.log('\nWebGPU with Dawn in Node');
    for (const { passed, failed: broken } of await runSuite('webgpu', webgpuParts, {})) {
      failed ||= broken > 0;
      total += passed;
    }
  }
  process.exitCode = failed || total === 0 ? 1 : 0;
}

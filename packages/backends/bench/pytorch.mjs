import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../tools/peers/cpu.py', import.meta.url));
const python = process.env.LMD_PYTHON ?? 'python3';
let told = false;

/** What `tools/peers/cpu.py` measures for a task: { milliseconds, version }; `undefined` where this Python has no PyTorch. */
export function pytorch(task, size, rounds) {
  const { status, stdout, stderr } = spawnSync(python, [script, task, String(size), String(rounds)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout);
  if (!/No module named 'torch'|ENOENT/.test(stderr ?? 'ENOENT'))
    throw new Error(`PyTorch's benchmark failed:\n${stderr}`);
  if (!told) console.error(`${python} has no PyTorch: it is left out. LMD_PYTHON may name another Python.`);
  told = true;
  return undefined;
}

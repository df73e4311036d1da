import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python } from '../lib/python.mjs';
import { leaveOut } from '../lib/report.mjs';

const script = fileURLToPath(new URL('../../peers/cpu.py', import.meta.url));
/**
 * The result of `dev/peers/cpu.py` for a task: { milliseconds, version }; `undefined` if this Python has no PyTorch.
 */
export function pytorch(task, size, rounds) {
  const { status, stdout, stderr } = spawnSync(python, [script, task, String(size), String(rounds)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout);
  if (!/No module named 'torch'|ENOENT/.test(stderr ?? 'ENOENT'))
    throw new Error(`PyTorch's benchmark failed:\n${stderr}`);
  leaveOut('PyTorch is not installed in python3 or the Python given by LMD_PYTHON');
  return undefined;
}

/**
 * Time of torchao's emulation on one thread in milliseconds, to codes and back, by format; `undefined` if it is not
 * installed.
 */
export function torchao(log2OfValues, rounds) {
  const peer = fileURLToPath(new URL('../mx-formats/torchao_peer.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [peer, String(log2OfValues), String(rounds)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout);
  if (!/No module named|ENOENT/.test(stderr ?? 'ENOENT')) throw new Error(`torchao's benchmark failed:\n${stderr}`);
  leaveOut('torchao is not installed in python3 or the Python given by LMD_PYTHON');
  return undefined;
}

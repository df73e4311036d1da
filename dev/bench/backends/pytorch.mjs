import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python } from '../lib/python.mjs';
import { leaveOut } from '../lib/report.mjs';

const script = fileURLToPath(new URL('../../peers/cpu.py', import.meta.url));
/**
 * What `dev/peers/cpu.py` measures for a task: { milliseconds, version }; `undefined` where this Python has no PyTorch.
 */
export function pytorch(task, size, rounds) {
  const { status, stdout, stderr } = spawnSync(python, [script, task, String(size), String(rounds)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout);
  if (!/No module named 'torch'|ENOENT/.test(stderr ?? 'ENOENT'))
    throw new Error(`PyTorch's benchmark failed:\n${stderr}`);
  leaveOut('python3, or the Python that LMD_PYTHON names, has no PyTorch');
  return undefined;
}

/**
 * Milliseconds that torchao's emulation takes on one thread, to codes and back, by format; `undefined` where it is not
 * there.
 */
export function torchao(log2OfValues, rounds) {
  const peer = fileURLToPath(new URL('../mx-formats/torchao_peer.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [peer, String(log2OfValues), String(rounds)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout);
  if (!/No module named|ENOENT/.test(stderr ?? 'ENOENT')) throw new Error(`torchao's benchmark failed:\n${stderr}`);
  leaveOut('python3, or the Python that LMD_PYTHON names, has no torchao');
  return undefined;
}

import { spawnSync } from 'node:child_process';
import { leaveOut } from './report.mjs';

export const python = process.env.LMD_PYTHON ?? 'python3';

/**
 * Whether that Python imports all of these modules; `leaveOut` hears of `what` where it does not, with Python's reason.
 * A module that is there may still fail: PyTorch from the registry needs the libraries of CUDA that pip installs with
 * it, on machines without a GPU too.
 */
export function pythonHas(what, ...modules) {
  const { status, stderr, error } = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' });
  if (status === 0) return true;
  const reason = error?.message ?? stderr.trim().split('\n').at(-1);
  leaveOut(
    `${what}: ${python} does not import ${modules.join(' and ')} (${reason}); dev/peers/README.md says how to install them, and LMD_PYTHON names another Python`,
  );
  return false;
}

import { spawnSync } from 'node:child_process';
import { leaveOut } from './report.mjs';

export const python = process.env.LMD_PYTHON ?? 'python3';

/** Whether this Python has all of these modules; if not, reports `what` as omitted. */
export function pythonHas(what, ...modules) {
  const code = `from importlib.util import find_spec\nexit(not all(map(find_spec, ${JSON.stringify(modules)})))`;
  if (spawnSync(python, ['-c', code]).status === 0) return true;
  leaveOut(`${what}: ${modules.join(' and ')} not installed in python3 or the Python given by LMD_PYTHON`);
  return false;
}

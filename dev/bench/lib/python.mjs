import { spawnSync } from 'node:child_process';
import { leaveOut } from './report.mjs';

export const python = process.env.LMD_PYTHON ?? 'python3';

/** Whether that Python has all of these modules; `leaveOut` hears of `what` where it has not. */
export function pythonHas(what, ...modules) {
  const code = `from importlib.util import find_spec\nexit(not all(map(find_spec, ${JSON.stringify(modules)})))`;
  if (spawnSync(python, ['-c', code]).status === 0) return true;
  leaveOut(`${what}: python3, or the Python that LMD_PYTHON names, has no ${modules.join(' and ')}`);
  return false;
}

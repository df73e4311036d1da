// Installs zig, pinned, from PyPI: it compiles C for every platform without any of their SDKs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const version = '0.17.1';

/** Installs it in `folder`, which is created where absent; gives its command. */
export async function installZig({ folder, log }) {
  const python = join(folder, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  const command = `${python} -m ziglang`;
  const answers = () =>
    spawnSync(python, ['-m', 'ziglang', 'version'], { encoding: 'utf8' }).stdout?.trim() === version;
  if (existsSync(python) && answers()) return command;
  log(`Installing zig ${version} from PyPI …`);
  for (const [program, ...args] of [
    [process.platform === 'win32' ? 'python' : 'python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ziglang==${version}`],
  ]) {
    const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  }
  if (!answers()) throw new Error('zig does not answer');
  return command;
}

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `npm run release:dry-run` passes to its tests, in a JSON file whose path is in LMD_RELEASE. */
interface Setting {
  /** The registry on loopback. */
  readonly url: string;
  /** Temporary folder, which the script removes. */
  readonly work: string;
  /** Where verdaccio, yarn and bun are installed. */
  readonly engine: string;
  /** npm's program and arguments before its own. */
  readonly npm: readonly [string, ...string[]];
}

const given = process.env.LMD_RELEASE;
if (given === undefined) throw new Error('These tests need a registry. Use npm run release:dry-run in the root.');
export const setting = JSON.parse(readFileSync(given, 'utf8')) as Setting;

/**
 * The environment of a user with nothing but the registry: no configuration, no cache and no credentials of this
 * machine. A folder for each manager, because npm's cache does not take two writers of the same file on all systems.
 */
export function environmentOf(manager: string): NodeJS.ProcessEnv {
  const home = join(setting.work, 'home', manager);
  mkdirSync(home, { recursive: true });
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm|pnpm|yarn|bun|vitest|vite|xdg)_/i.test(name));
  const { NODE_ENV, NODE_OPTIONS, ...rest } = Object.fromEntries(kept);
  const folders = ['HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'].map((name) => [name, home]);
  return {
    ...rest,
    ...Object.fromEntries(folders),
    CI: '1',
    npm_config_registry: setting.url,
    [`npm_config_//${new URL(setting.url).host}/:_authToken`]: 'dry-run',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_fetch_retry_mintimeout: '500',
    YARN_REGISTRY: setting.url,
    BUN_CONFIG_REGISTRY: setting.url,
  };
}

export interface Ended {
  readonly code: number | null;
  /** Both outputs, in the order in which they came. */
  readonly output: string;
}

/** Runs a program to its end, at most four minutes. */
export function execute(
  [command, ...args]: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Runs a program, which must succeed; returns its output. */
export async function succeed(
  words: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  const { code, output } = await execute(words, options);
  if (code !== 0) throw new Error(`"${words.join(' ')}" ended with ${code}:\n${output}`);
  return output;
}

/** A package as the registry shows it; undefined where it has none of that name. */
export async function packument(name: string) {
  const answer = await fetch(`${setting.url}/${name.replace('/', '%2f')}`);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${name}: the registry answered ${answer.status}`);
  return (await answer.json()) as {
    readonly 'dist-tags': Readonly<Record<string, string>>;
    readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}

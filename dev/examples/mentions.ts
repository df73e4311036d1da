import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageOf, root } from './blocks.js';
import { commandsOf, type RunLmd, wordsOf } from './run-commands.js';

/**
 * Every command on a page: lines of command blocks and text in backticks. A page with the comment `<!-- frozen -->` is
 * a historical record and is not checked.
 */
export function mentionsOf(text: string): string[] {
  if (text.includes('<!-- frozen -->')) return [];
  const blocks = [...text.matchAll(/^\s*```sh\n([\s\S]*?)^\s*```/gm)].flatMap(([, code]) => commandsOf(code!));
  const spans = [...text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...spans].filter((command) => /^(?:lmd|npm run|npm start|node) \S/.test(command));
}

export interface Help {
  /** Names of commands, such as `train` or `data prepare`, each with its help. */
  readonly commands: ReadonlyMap<string, string>;
  /** The examples that help shows. */
  readonly examples: readonly string[];
}

const examplesIn = (help: string) => [...help.matchAll(/^ {2}(lmd .*?)(?: {2,}.*)?$/gm)].map(([, command]) => command!);
const namesIn = (help: string) =>
  [...(/^Commands:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(help)?.[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');

/** Commands that have commands of their own. */
const groups = ['data', 'cluster'];

/** The help of `lmd` and of each command. */
export async function readHelp(runLmd: RunLmd): Promise<Help> {
  const helpOf = async (...words: string[]) => {
    const { code, stdout, stderr } = await runLmd([...words, '--help'], root);
    if (code !== 0) throw new Error(`lmd ${words.join(' ')} --help ended with ${code}:\n${stderr}`);
    return stdout;
  };
  const main = await helpOf();
  const commands = new Map<string, string>();
  for (const name of namesIn(main)) {
    const help = await helpOf(name);
    if (!groups.includes(name)) commands.set(name, help);
    else for (const sub of namesIn(help)) commands.set(`${name} ${sub}`, await helpOf(name, sub));
  }
  return { commands, examples: [main, ...commands.values()].flatMap(examplesIn) };
}

function faultOfLmd(words: readonly string[], { commands }: Help): string | undefined {
  const [first = '', second] = words.filter((word) => !word.startsWith('-'));
  if (first === '' || first === 'help' || /^[<…]/.test(first)) return undefined;
  const isGroup = groups.includes(first);
  const name = isGroup ? `${first} ${second}` : first;
  if (isGroup && second === undefined) return undefined;
  const help = commands.get(name);
  if (help === undefined) return `lmd has no command "${name}".`;
  const unknown = words
    .filter((word) => /^--\w/.test(word))
    .find((word) => !new RegExp(`${word.split('=')[0]}\\b`).test(help));
  return unknown === undefined || unknown === '--help' ? undefined : `lmd ${name} has no option ${unknown}.`;
}

function faultOfScript(words: readonly string[], page: string): string | undefined {
  const prefix = words.indexOf('--prefix');
  const folders = prefix < 0 ? [root, packageOf(page)] : [join(root, words[prefix + 1]!)];
  const name = words[0] === 'start' ? 'start' : words[1]!;
  const scripts = folders
    .map((folder) => join(folder, 'package.json'))
    .filter((path) => existsSync(path))
    .flatMap((path) => Object.keys(JSON.parse(readFileSync(path, 'utf8')).scripts ?? {}));
  if (!scripts.includes(name)) return `There is no script ${name}.`;
  const benchmark = name === 'bench' ? words[words.indexOf('--') + 1] : undefined;
  if (benchmark === undefined || benchmark === 'bench' || /^[<-]/.test(benchmark) || benchmark === 'cpu')
    return undefined;
  return existsSync(join(root, 'dev', 'bench', benchmark, 'index.mjs'))
    ? undefined
    : `There is no benchmark ${benchmark}.`;
}

/** The problem with a command on a page: a command, an option, a script or a file that does not exist. */
export function faultOf(command: string, page: string, help: Help): string | undefined {
  const [program, ...words] = wordsOf(command);
  if (program === 'lmd') return faultOfLmd(words, help);
  if (program === 'npm') return faultOfScript(words, page);
  const file = words.find((word) => word.endsWith('.mjs'));
  if (file === undefined || /[<*…]/.test(file)) return undefined;
  if (readFileSync(join(root, page), 'utf8').includes(`<!-- file: ${file} -->`)) return undefined;
  return [root, packageOf(page)].some((from) => existsSync(join(from, file))) ? undefined : `There is no file ${file}.`;
}

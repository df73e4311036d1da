/** The part of Node that is used here. Without it, as in a browser, there is no native code. */
interface NodeProcess {
  readonly platform: string;
  readonly arch: string;
  cwd(): string;
  readonly getBuiltinModule?: (name: string) => unknown;
}

export type Require = ((name: string) => unknown) & { resolve(name: string): string };

interface ModuleTools {
  createRequire(from: string): Require;
}

const node = (globalThis as { process?: NodeProcess }).process;

/**
 * `require` as seen from a file, or from the working folder where a bundle has no URL of its own (CommonJS, scripts of
 * a page); undefined where this is not Node 20.16 or later. No bundler sees an import, and no browser misses one.
 */
export function requireFrom(url: string | undefined): Require | undefined {
  const tools = node?.getBuiltinModule?.('node:module') as ModuleTools | undefined;
  return tools?.createRequire(url ?? `${node!.cwd()}/`);
}

/** The packages that may hold this platform's binary. On Linux the one for the other C library does not load. */
export function platformPackages(): readonly string[] {
  if (node === undefined) return [];
  const name = `@lmd/native-${node.platform}-${node.arch}`;
  return node.platform === 'linux' ? [`${name}-gnu`, `${name}-musl`] : [name];
}

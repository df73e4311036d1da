interface Platform {
  readonly process?: { getBuiltinModule?: (name: string) => unknown };
}

/**
 * A built-in module of Node, where this is Node 20.16 or later: no bundler sees an import, and no browser misses one.
 */
export function builtIn<Module>(name: string): Module | undefined {
  return (globalThis as Platform).process?.getBuiltinModule?.(name) as Module | undefined;
}

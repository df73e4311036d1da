interface Platform {
  readonly process?: { getBuiltinModule?: (name: string) => unknown };
}

/**
 * A built-in module of Node 20.16 or later, undefined elsewhere. It is not imported, so that bundlers ignore it.
 */
export function builtIn<Module>(name: string): Module | undefined {
  return (globalThis as Platform).process?.getBuiltinModule?.(name) as Module | undefined;
}

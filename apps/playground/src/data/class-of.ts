/** The class of a file by its path: the folder that it is in. */
export function classOf(path: string): string {
  return path.split('/').at(-2) ?? '';
}

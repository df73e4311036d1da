/**
 * What tfjs-layers called a weight before it put a number after the name to keep names in one program apart:
 * `dense/kernel` for `dense/kernel_2`, the weight of a third layer named `dense`. Names without a layer are not its
 * own, and stay as they are.
 */
function originalName(name: string): string {
  return name.includes('/') ? name.replace(/_\d+$/, '') : name;
}

/** Whether the two may be names of one weight, in two models of one program or in two programs. */
export function mayBeCopies(a: string, b: string): boolean {
  const original = originalName(a);
  return [b, originalName(b)].some((name) => name === a || name === original);
}

/**
 * The names by which noise is drawn: the original one, so that a model and its copy draw the same, and the name itself
 * where two of the names have one original. It follows from the set of names alone, so a restored state draws what the
 * saved one would have.
 */
export function drawNames(names: readonly string[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(originalName(name), (counts.get(originalName(name)) ?? 0) + 1);
  // A name itself can be another one's original: `layer/w_1` beside `layer/w_1_1`.
  const isOwn = (name: string) => counts.get(originalName(name)) === 1 && !names.includes(originalName(name));
  return new Map(names.map((name) => [name, isOwn(name) ? originalName(name) : name]));
}

/**
 * Which of an optimizer's variables an option means by `name`: the one of exactly that name, and otherwise the only one
 * that may be a copy. While the program has a variable of that name, a copy is one that was renamed after it.
 */
export function meantBy(name: string, own: readonly string[], isRegistered: (name: string) => boolean) {
  if (own.includes(name)) return name;
  const copies = own.filter((other) => (isRegistered(name) ? originalName(other) === name : mayBeCopies(other, name)));
  return copies.length === 1 ? copies[0] : undefined;
}

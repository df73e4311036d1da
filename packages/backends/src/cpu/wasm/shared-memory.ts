const importSection = 2;
const memoryKind = 2;
const hasMaximum = 1;
const sharedWithMaximum = 3;

/**
 * A module that imports one memory, and nothing else, as one that imports a shared one: the two differ in one bit
 * (WebAssembly core specification, section 5.5.5, and the threads proposal), so that no second build is needed.
 */
export function importingSharedMemory(module: Uint8Array): Uint8Array {
  const bytes = module.slice();
  let at = 8;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++]!;
    const size = unsigned();
    if (section !== importSection) {
      at += size;
      continue;
    }
    const count = unsigned();
    // Two names, each after its length.
    for (let name = 0; name < 2; name++) at = unsigned() + at;
    if (count === 1 && bytes[at] === memoryKind && bytes[at + 1] === hasMaximum) {
      bytes[at + 1] = sharedWithMaximum;
      return bytes;
    }
    break;
  }
  throw new Error('The module does not import one memory with a maximum.');
}

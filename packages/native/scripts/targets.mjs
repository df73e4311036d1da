// The platforms that have a binary, and how a compiler is told of each.

/**
 * By the name of the platform's package: what zig calls it, and the file that its linker is given for Node's own
 * functions.
 */
export const targets = {
  'linux-x64-gnu': { zig: 'x86_64-linux-gnu.2.17', cpu: 'x64' },
  'linux-x64-musl': { zig: 'x86_64-linux-musl', cpu: 'x64' },
  'linux-arm64-gnu': { zig: 'aarch64-linux-gnu.2.17', cpu: 'arm64' },
  'linux-arm64-musl': { zig: 'aarch64-linux-musl', cpu: 'arm64' },
  'darwin-x64': { zig: 'x86_64-macos.11.0', cpu: 'x64' },
  'darwin-arm64': { zig: 'aarch64-macos.11.0', cpu: 'arm64' },
  'win32-x64': { zig: 'x86_64-windows-gnu', cpu: 'x64' },
  'win32-arm64': { zig: 'aarch64-windows-gnu', cpu: 'arm64' },
};

/** Loops whose order of instructions is left to the compiler; those of products stand in the source. */
const fast = ['-O2'];
const avx2 = ['-mavx2', '-mfma'];
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl'];

/** The sources of a processor, each with the instructions that its file may use, as gcc and clang are told, or zig. */
export function sourcesOf(cpu, zig = false) {
  // What pays in instructions is not here: as small as it can be.
  const small = zig ? ['-Oz'] : [];
  const plain = [
    ...['addon.c', 'level.c', 'level-scalar.c'],
    ...['block-driver.c', 'block-plain.c', 'block-rounding.c', 'panel-scales.c', 'coded-attention.c'],
  ];
  // Random numbers are interleaved in the source, which gcc keeps from -O2 on and clang always.
  const chains = zig ? small : fast;
  // Memory bounds these: clang's -Os is as fast as its -O2, and smaller by 0.6 kB.
  const bounded = zig ? [] : fast;
  const common = { ...Object.fromEntries(plain.map((file) => [file, small])), 'windows.c': ['-fno-builtin'] };
  if (cpu === 'arm64') {
    const dotProducts = zig ? '-mcpu=generic+dotprod' : '-march=armv8.2-a+dotprod';
    return {
      ...common,
      'level-neon.c': [],
      'wide-neon.c': fast,
      'common-neon.c': fast,
      'level-neon-dot.c': [dotProducts],
    };
  }
  return {
    ...common,
    'level-avx2.c': avx2,
    'wide-avx2.c': [...avx2, ...chains],
    'common-avx2.c': [...avx2, ...bounded],
    'level-avx2-vnni.c': [...avx2, '-mavxvnni'],
    'level-avx512.c': avx512,
    'wide-avx512.c': [...avx512, ...chains],
    'level-avx512-vnni.c': [...avx512, '-mavx512vnni'],
  };
}

/** This machine's, or undefined where there is none. */
export function targetOfThisMachine() {
  const { platform, arch, report } = process;
  const libc =
    platform !== 'linux' ? '' : report.getReport().header.glibcVersionRuntime === undefined ? '-musl' : '-gnu';
  const name = `${platform}-${arch}${libc}`;
  return name in targets ? name : undefined;
}

// Made by scripts/build-wasm.mjs from assembly/: do not edit.

/**
 * The kernels of `kernelModule` that round tensors where they lie. Each does the part `from` to `to` of its range.
 * Addresses are bytes, multiples of 4; source and target must not overlap, but up to 12 bytes beyond the end of the
 * source may be read.
 */
export interface InMemoryKernels {
  /**
   * Encodes the rows `from` to `to` of `length` elements in `blocks` blocks each, by the settings of `planInMemory` for
   * blocks along the rows: as integers, each an element divided by the smallest one of its format, of 1 byte or of 2
   * where `wide`. A row takes a multiple of 16 integers, with zeros at its end. `scales` gets what a block has: a byte
   * (E8M0), or the f32 that its byte stands for (E4M3). It writes nothing beyond those rows.
   */
  encodeIntegersInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    codes: number,
    scales: number,
    words: number,
    length: number,
    blocks: number,
    wide: boolean,
  ): void;
  /**
   * Gives this instance its workspace, at a multiple of 16. Each thread has an instance of its own on the same memory.
   */
  initialize(workspace: number): void;
  /**
   * The largest finite magnitudes, as float32 bits, of the parts `from` to `to` of `partSize` elements; `count` in all.
   */
  largestInMemory(from: number, to: number, source: number, out: number, count: number, partSize: number): void;
  /** Rounds the rows `from` to `to` of `length` elements, and writes nothing beyond them. */
  roundRowsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
  ): void;
  /**
   * Rounds along the middle one of the axes [any, `length`, `inner`]. `from` to `to` count slabs: outer index, then
   * block of rows, of which there are `blocks` for each outer index.
   */
  roundSlabsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
    blocks: number,
    inner: number,
  ): void;
  /** Bytes that `initialize` takes for one instance. */
  workspaceBytes(): number;
}

/** What works on the memory of the package itself. Addresses are bytes, sizes are elements. */
export interface WasmExports {
  /** Sets the blocks and their scales, and how elements are rounded. */
  configureBlocks(above: number, how: number, size: number, e4m3: boolean, scale: number): void;
  /** Sets the element format. */
  configureElement(
    bitsOfCode: number,
    significant: number,
    smallest: number,
    largestExponent: number,
    exponentBias: number,
    largest: number,
    topCode: number,
    int: boolean,
    unit: number,
    specials: boolean,
  ): void;
  /**
   * Sets words that never change: `magnitudeMask` and `infinityBits`. They are handed over at run time since the
   * compiler would otherwise write them out as vector constants, which engines build anew at each use.
   */
  configureWords(magnitude: number, exponent: number): void;
  /** Decodes `rows` rows of `width` codes, where each column is a block. */
  decodeColumns(
    codes: number,
    scales: number,
    target: number,
    table: number,
    scaleTable: number,
    rows: number,
    width: number,
  ): void;
  /**
   * Decodes `rows` rows of `length` codes, a byte each. `table` holds the float32 value of each code, `scaleTable` that
   * of each scale byte.
   */
  decodeRows(
    codes: number,
    scales: number,
    target: number,
    table: number,
    scaleTable: number,
    rows: number,
    length: number,
  ): void;
  /** Encodes `rows` rows of `width` elements along the columns: a byte a code, and a scale byte a column. */
  encodeColumns(source: number, codes: number, scales: number, words: number, rows: number, width: number): void;
  /** Encodes `rows` rows of `length` elements into a byte a code, and a scale byte a block. */
  encodeRows(source: number, codes: number, scales: number, words: number, rows: number, length: number): void;
  /**
   * Gives this instance its workspace, at a multiple of 16. Each thread has an instance of its own on the same memory.
   */
  initialize(workspace: number): void;
  /** The largest finite magnitude of many values, as float32 bits. */
  largestFinite(source: number, count: number): number;
  /** Packs `count` codes of `bits` bits. */
  packCodes(codes: number, packed: number, bits: number, count: number): void;
  /**
   * Philox4x32-10, as in `src/philox.ts`: fills in the words of the elements of groups of four, the first of which is
   * `group`. Four groups go at once, so that room for three more than `groups` is needed.
   */
  philoxGroups(
    target: number,
    groups: number,
    group: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
  /** Rounds `rows` rows of `width` elements along the columns. */
  roundColumns(source: number, target: number, words: number, rows: number, width: number): void;
  /** Rounds `rows` rows of `length` elements. `words` holds the random words, where rounding is stochastic. */
  roundRows(source: number, target: number, words: number, rows: number, length: number): void;
  /** Unpacks `count` codes of `bits` bits. */
  unpackCodes(packed: number, codes: number, bits: number, count: number): void;
  /** Bytes that `initialize` takes for one instance. */
  workspaceBytes(): number;
}

/** The arguments of each kernel after its range, by name. */
export interface InMemoryArguments {
  readonly encodeIntegersInMemory: {
    readonly settings: number;
    readonly source: number;
    readonly codes: number;
    readonly scales: number;
    readonly words: number;
    readonly length: number;
    readonly blocks: number;
    readonly wide: boolean;
  };
  readonly largestInMemory: {
    readonly source: number;
    readonly out: number;
    readonly count: number;
    readonly partSize: number;
  };
  readonly roundRowsInMemory: {
    readonly settings: number;
    readonly source: number;
    readonly target: number;
    readonly words: number;
    readonly length: number;
  };
  readonly roundSlabsInMemory: {
    readonly settings: number;
    readonly source: number;
    readonly target: number;
    readonly words: number;
    readonly length: number;
    readonly blocks: number;
    readonly inner: number;
  };
}

/** Puts the arguments of each kernel in the order in which it takes them, as numbers. */
export const inMemoryOrder: {
  readonly [Name in keyof InMemoryArguments]: (named: InMemoryArguments[Name]) => number[];
} = {
  encodeIntegersInMemory: ({ settings, source, codes, scales, words, length, blocks, wide }) =>
    [settings, source, codes, scales, words, length, blocks, Number(wide)],
  largestInMemory: ({ source, out, count, partSize }) => [source, out, count, partSize],
  roundRowsInMemory: ({ settings, source, target, words, length }) => [settings, source, target, words, length],
  roundSlabsInMemory: ({ settings, source, target, words, length, blocks, inner }) =>
    [settings, source, target, words, length, blocks, inner],
};

/** One worker's packed votes. Without `cast`, every coordinate has a vote. */
export interface Ballot {
  readonly up: Uint32Array;
  readonly cast?: Uint32Array;
}

/** Packed results of a vote: a bit for each coordinate. Where neither is set, as many voted up as down. */
export interface VoteCount {
  /** More voted up than down. */
  readonly up: Uint32Array;
  readonly down: Uint32Array;
}

/** Words of a block, whose counters stay in a processor's cache. */
const blockWords = 2048;
/** Ballots that are added at once. */
const group = 8;

/**
 * Counts votes, 32 coordinates in an operation: plane k has bit k of their counters. Eight ballots are added by a tree
 * of carry-save adders (Harley and Seal), whose four bits are then added to the planes. Up to three need no counters.
 *
 * @param count number of coordinates. Bits beyond it are not defined.
 */
export function countVotes(ballots: readonly Ballot[], count: number): VoteCount {
  const words = Math.ceil(count / 32);
  const [up, down] = [new Uint32Array(words), new Uint32Array(words)];
  const [first, second, third] = ballots;
  if (ballots.length <= 3 && ballots.every(({ cast }) => cast === undefined)) {
    if (third !== undefined) ofThree(first!.up, second!.up, third.up, up, down);
    else if (first !== undefined) ofTwo(first.up, (second ?? first).up, up, down);
    return { up, down };
  }
  const all = ballots.map(({ up: bits, cast }) => ({ bits: signed(bits), cast: cast && signed(cast) }));
  const hasAbstentions = all.some(({ cast }) => cast !== undefined);
  const ups = new Counters(ballots.length);
  const downs = new Counters(ballots.length);
  for (let from = 0; from < words; from += blockWords) {
    const length = Math.min(blockWords, words - from);
    if (!hasAbstentions) {
      ups.count(
        all.map(({ bits }) => bits.subarray(from, from + length)),
        length,
      );
      // u of n votes are up, and n − u down. An odd number is never even.
      ups.compare(Math.floor(ballots.length / 2), ballots.length % 2 === 0, up, down, from, length);
      continue;
    }
    const parts = all.map(({ bits, cast }) => ({
      bits: bits.subarray(from, from + length),
      cast: cast?.subarray(from, from + length),
    }));
    ups.count(
      parts.map(({ bits, cast }) => bits.map((word, index) => word & (cast?.[index] ?? -1))),
      length,
    );
    downs.count(
      parts.map(({ bits, cast }) => bits.map((word, index) => ~word & (cast?.[index] ?? -1))),
      length,
    );
    ups.exceeding(downs, up, from, length);
    downs.exceeding(ups, down, from, length);
  }
  return { up, down };
}

/** The majority of two votes, or of one that is given twice. */
function ofTwo(a: Uint32Array, b: Uint32Array, up: Uint32Array, down: Uint32Array): void {
  for (let word = 0; word < up.length; word++) {
    up[word] = a[word]! & b[word]!;
    down[word] = ~(a[word]! | b[word]!);
  }
}

function ofThree(a: Uint32Array, b: Uint32Array, c: Uint32Array, up: Uint32Array, down: Uint32Array): void {
  for (let word = 0; word < up.length; word++) {
    const most = (a[word]! & b[word]!) | (c[word]! & (a[word]! | b[word]!));
    up[word] = most;
    down[word] = ~most;
  }
}

/** The same words as signed numbers, on which an engine's integer operations need no conversion. */
const signed = ({ buffer, byteOffset, length }: Uint32Array) => new Int32Array(buffer, byteOffset, length);

/** Counters of the coordinates of a block, in planes of bits. */
class Counters {
  readonly #planes: readonly Int32Array[];
  readonly #sum = Array.from({ length: 4 }, () => new Int32Array(blockWords));
  readonly #result = new Int32Array(blockWords);
  readonly #equal = new Int32Array(blockWords);

  /** @param most largest count. */
  constructor(most: number) {
    const depth = Math.max(4, Math.ceil(Math.log2(most + 1)));
    this.#planes = Array.from({ length: depth }, () => new Int32Array(blockWords));
  }

  count(votes: readonly Int32Array[], length: number): void {
    // The first group replaces the lowest planes.
    for (const plane of this.#planes.slice(4)) plane.fill(0);
    for (let from = 0; from < votes.length; from += group) {
      const eight = Array.from({ length: group }, (_, index) => votes[from + index] ?? none);
      const isFirst = from === 0;
      addEight(eight, isFirst ? this.#planes : this.#sum, length);
      if (!isFirst) this.#add(length);
    }
  }

  /** Adds the sums of a group to the planes. */
  #add(length: number): void {
    let carry: Int32Array | undefined;
    for (const [k, plane] of this.#planes.entries()) {
      const bits = this.#sum[k] ?? none;
      const next = new Int32Array(length);
      for (let word = 0; word < length; word++) {
        const a = plane[word]!;
        const b = bits[word]!;
        const c = carry === undefined ? 0 : carry[word]!;
        const either = a ^ b;
        plane[word] = either ^ c;
        next[word] = (a & b) | (c & either);
      }
      carry = next;
    }
  }

  /** Where the counters are above a number, and where they are below it or, if it is no tie, not above. */
  compare(limit: number, isTie: boolean, above: Uint32Array, below: Uint32Array, from: number, length: number): void {
    const result = this.#result.fill(0);
    const equal = this.#equal.fill(-1);
    for (let k = this.#planes.length - 1; k >= 0; k--) {
      const plane = this.#planes[k]!;
      const bit = -((limit >>> k) & 1);
      for (let word = 0; word < length; word++) {
        const own = plane[word]!;
        const open = equal[word]!;
        result[word]! |= open & own & ~bit;
        equal[word] = open & ~(own ^ bit);
      }
    }
    const ties = isTie ? -1 : 0;
    for (let word = 0; word < length; word++) {
      above[from + word] = result[word]!;
      below[from + word] = ~(result[word]! | (equal[word]! & ties));
    }
  }

  /** Where these counters are above others. */
  exceeding(others: Counters, to: Uint32Array, from: number, length: number): void {
    const result = this.#result.fill(0);
    const equal = this.#equal.fill(-1);
    for (let k = this.#planes.length - 1; k >= 0; k--) {
      const [own, other] = [this.#planes[k]!, others.#planes[k]!];
      for (let word = 0; word < length; word++) {
        const differs = own[word]! ^ other[word]!;
        result[word]! |= equal[word]! & differs & own[word]!;
        equal[word]! &= ~differs;
      }
    }
    to.set(result.subarray(0, length), from);
  }
}

/** Votes of nobody, for a group that is not full. */
const none = new Int32Array(blockWords);

/** The sum of eight bits of each coordinate, as four bits. */
function addEight(votes: readonly Int32Array[], sums: readonly Int32Array[], length: number): void {
  const [v0, v1, v2, v3, v4, v5, v6, v7] = votes as unknown as Eight<Int32Array>;
  const [ones, twos, fours, eights] = sums as unknown as Eight<Int32Array>;
  for (let word = 0; word < length; word++) {
    const a = v0[word]!;
    const b = v1[word]!;
    const c = v2[word]!;
    const d = v3[word]!;
    const e = v4[word]!;
    const f = v5[word]!;
    const g = v6[word]!;
    const ab = a ^ b;
    const abc = ab ^ c;
    const two1 = (a & b) | (ab & c);
    const de = d ^ e;
    const def = de ^ f;
    const two2 = (d & e) | (de & f);
    const both = abc ^ def;
    const seven = both ^ g;
    const two3 = (abc & def) | (both & g);
    const h = v7[word]!;
    ones[word] = seven ^ h;
    const two4 = seven & h;
    const pair = two1 ^ two2;
    const three = pair ^ two3;
    const four1 = (two1 & two2) | (pair & two3);
    twos[word] = three ^ two4;
    const four2 = three & two4;
    fours[word] = four1 ^ four2;
    eights[word] = four1 & four2;
  }
}

type Eight<T> = readonly [T, T, T, T, T, T, T, T];

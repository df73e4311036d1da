/** Points of a chart, at most about `most` of them: of a long run, each is the mean of several steps. */
export class Series {
  #stride = 1;
  #xs: number[] = [];
  #ys: number[] = [];
  #sum = 0;
  #count = 0;

  constructor(readonly most = 1200) {}

  get xs(): readonly number[] {
    return this.#xs;
  }

  get ys(): readonly number[] {
    return this.#ys;
  }

  add(x: number, y: number): void {
    this.#sum += y;
    this.#count += 1;
    if (this.#count < this.#stride) return;
    this.#xs.push(x);
    this.#ys.push(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
    if (this.#xs.length > this.most) this.#halve();
  }

  /** Forgets points after `x`, which a run that resumed from there computes again. */
  cut(x: number): void {
    while ((this.#xs.at(-1) ?? Number.NEGATIVE_INFINITY) > x) {
      this.#xs.pop();
      this.#ys.pop();
    }
    this.#sum = 0;
    this.#count = 0;
  }

  #halve(): void {
    const [xs, ys] = [this.#xs, this.#ys];
    this.#xs = [];
    this.#ys = [];
    for (let i = 1; i < xs.length; i += 2) {
      this.#xs.push(xs[i]!);
      this.#ys.push((ys[i - 1]! + ys[i]!) / 2);
    }
    this.#stride *= 2;
  }
}

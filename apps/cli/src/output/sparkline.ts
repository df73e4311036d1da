const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** A line of bars, scaled to the largest finite value; a space for 0 and for values that are not finite. */
export function sparkline(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const most = finite.reduce((largest, value) => Math.max(largest, value), 0);
  const bar = (value: number) => bars[Math.min(7, Math.floor((value / most) * 8))]!;
  return values.map((value) => (Number.isFinite(value) && value > 0 ? bar(value) : ' ')).join('');
}

/** Means of `width` groups of consecutive values, or the values themselves if there are at most `width`. */
export function grouped(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, group) => {
    const from = Math.floor((group * values.length) / width);
    const part = values.slice(from, Math.floor(((group + 1) * values.length) / width));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

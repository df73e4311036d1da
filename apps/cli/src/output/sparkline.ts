const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** A line of bars, scaled to the largest value; a space for values of 0. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values);
  return values
    .map((value) => (value <= 0 || most <= 0 ? ' ' : bars[Math.min(7, Math.floor((value / most) * 8))]!))
    .join('');
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

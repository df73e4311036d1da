const eighths = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * Columns over a number of lines, from the smallest to the largest finite value; a value that is not finite is an empty
 * column. The smallest value keeps one eighth of a line.
 */
export function plot(values: readonly number[], height: number): string[] {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const range = Math.max(...finite) - low;
  const levels = values.map((value) => {
    if (!Number.isFinite(value)) return 0;
    return range === 0 ? 4 * height : 1 + Math.round(((value - low) / range) * (8 * height - 1));
  });
  return Array.from({ length: height }, (_, line) => {
    const below = 8 * (height - 1 - line);
    return levels.map((level) => eighths[Math.min(8, Math.max(0, level - below))]).join('');
  });
}

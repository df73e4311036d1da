/** How the numbers of one of our weights stand in the tensors of another library, both ways. Row-major throughout. */
export interface Arrangement {
  /** The shapes of the other library's tensors that make up this weight, in their order. */
  readonly shapes: readonly (readonly number[])[];
  /** Their numbers → ours. */
  take(parts: readonly Values[]): Values;
  /** Our numbers → theirs. */
  give(values: Values): Values[];
}

export type Values = Float32Array | Float64Array;

/** The same numbers in the same order, under another shape or the same. */
export function same(shape: readonly number[]): Arrangement {
  return { shapes: [shape], take: ([part]) => part!, give: (values) => [values] };
}

/**
 * [inputs, outputs] here, [outputs, inputs] there; or several of them there, beside each other along the outputs here.
 */
export function transposed(inputs: number, outputs: number, parts = 1): Arrangement {
  const rows = outputs / parts;
  return {
    shapes: Array.from({ length: parts }, () => [rows, inputs]),
    take: (pieces) => transpose(joined(pieces), outputs, inputs),
    give: (values) => split(transpose(values, inputs, outputs), parts),
  };
}

/** One vector here, several there, end to end. */
export function ends(length: number, parts: number): Arrangement {
  return {
    shapes: Array.from({ length: parts }, () => [length / parts]),
    take: joined,
    give: (values) => split(values, parts),
  };
}

/** [row · column · channel, outputs] here, a convolution [outputs, channel, row, column] there. */
export function convolution(patchSize: number, channels: number, outputs: number): Arrangement {
  const pixels = patchSize * patchSize;
  const move = (values: Values, from: (at: number) => number): Values => {
    const moved = like(values);
    for (let at = 0; at < moved.length; at++) moved[at] = values[from(at)]!;
    return moved;
  };
  return {
    shapes: [[outputs, channels, patchSize, patchSize]],
    take: ([part]) =>
      move(part!, (at) => {
        const [row, output] = [Math.floor(at / outputs), at % outputs];
        const [pixel, channel] = [Math.floor(row / channels), row % channels];
        return (output * channels + channel) * pixels + pixel;
      }),
    give: (values) => [
      move(values, (at) => {
        const [plane, pixel] = [Math.floor(at / pixels), at % pixels];
        const [output, channel] = [Math.floor(plane / channels), plane % channels];
        return (pixel * channels + channel) * outputs + output;
      }),
    ],
  };
}

function transpose(values: Values, rows: number, columns: number): Values {
  const moved = like(values);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) moved[column * rows + row] = values[row * columns + column]!;
  }
  return moved;
}

function joined(parts: readonly Values[]): Values {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = parts.some((part) => part instanceof Float64Array)
    ? new Float64Array(length)
    : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function split(values: Values, parts: number): Values[] {
  const length = values.length / parts;
  return Array.from({ length: parts }, (_, i) => values.slice(i * length, (i + 1) * length));
}

function like(values: Values): Values {
  return values instanceof Float64Array ? new Float64Array(values.length) : new Float32Array(values.length);
}

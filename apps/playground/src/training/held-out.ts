import type { PreparedImage } from '@lmd/inference';
import type { Task } from './task.js';

/** A picture that no run has trained on. */
export interface HeldOutPicture {
  readonly className: string;
  readonly side: number;
  /** Red, green, blue and opacity of each pixel. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * A held-out example of a task of pictures.
 *
 * @param index of any size: after the last one comes the first.
 */
export async function heldOutPicture(
  { validation, classNames, preprocessing }: Task,
  index: number,
): Promise<{ readonly input: PreparedImage; readonly picture: HeldOutPicture }> {
  const { inputs, labels } = await validation.batch(Int32Array.of(index % validation.size));
  const [, side = 0, , channels = 0] = inputs.shape;
  const data = inputs.data as Float32Array;
  const { mean, standardDeviation } = preprocessing!;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let pixel = 0; pixel < side * side; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      const channel = Math.min(colour, channels - 1);
      const value = data[pixel * channels + channel]! * standardDeviation[channel]! + mean[channel]!;
      pixels[4 * pixel + colour] = 255 * value;
    }
  }
  return {
    input: { data, shape: inputs.shape.slice(1) },
    picture: { className: classNames![labels.data[0]!]!, side, pixels },
  };
}

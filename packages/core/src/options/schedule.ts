/** A value for each optimizer step, counted from 0. */
export type Schedule = (step: number) => number;

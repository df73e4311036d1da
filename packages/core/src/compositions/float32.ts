/** (2 − 2^-23) · 2^127. */
export const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;

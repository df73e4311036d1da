/** (2 − 2^-23) · 2^127. */
export const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;

/** The least normal number. */
export const smallestNormal = 2 ** -126;

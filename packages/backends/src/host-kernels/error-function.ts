import { exponential } from './exponential.js';

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * e^(z²)·erfc(z) for z ≥ 0, with a relative error below 1e-8. (z + a)·erfcx(z) is bounded and smooth in t = (z − a)/(z
 * + a), which maps z ≥ 0 to [−1, 1) (the substitution of Shepherd and Laframboise, Math. Comp. 36, 1981); the
 * polynomial in t is our own Chebyshev fit with a = 2.5 and degree 10. A relative bound on erfc gives both tails of
 * GELU full precision, which 1 + erf(x) loses to cancellation.
 */
export function scaledComplement(z: number): number {
  const inverse = 1 / (z + 2.5);
  const t = 1 - 5 * inverse;
  const q = t * t;
  // Even and odd powers apart: two short chains of operations instead of one long one.
  const even =
    1.0540318146978152 +
    q *
      (0.45391452618770367 +
        q *
          (0.028356676182617273 +
            q * (-0.004797361165956104 + q * (0.0006592908098085104 + q * -0.00007016012931103433))));
  const odd =
    -0.8046519288279469 +
    q *
      (-0.17124948742894378 + q * (0.008383131874000043 + q * (-0.0004139249850145177 + q * 0.000027007129834260013)));
  return (even + t * odd) * inverse;
}

/** The error function, to float32 accuracy; erf(−0) = −0, ±1 at ±Infinity, NaN for NaN. */
export function errorFunction(x: number): number {
  const square = x * x;
  if (square < 0.25) {
    // Maclaurin series: the first term left out is below 1e-9 of the sum.
    return (
      twoOverRootPi *
      x *
      (1 -
        square *
          (1 / 3 -
            square * (1 / 10 - square * (1 / 42 - square * (1 / 216 - square * (1 / 1320 - square * (1 / 9360)))))))
    );
  }
  const tail = exponential(-square) * scaledComplement(Math.abs(x));
  return (1 - 2 * Number(x < 0)) * (1 - tail);
}

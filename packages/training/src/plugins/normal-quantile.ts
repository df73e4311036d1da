const central = {
  numerator: [2.50662823884, -18.61500062529, 41.39119773534, -25.44106049637],
  denominator: [-8.4735109309, 23.08336743743, -21.06224101826, 3.13082909833],
};
const tail = [
  0.3374754822726147, 0.9761690190917186, 0.1607979714918209, 0.0276438810333863, 0.0038405729373609,
  0.0003951896511919, 0.0000321767881768, 0.0000002888167364, 0.0000003960315187,
];

/**
 * Quantile function of the standard normal distribution for a probability in (0, 1); accurate to about 1e-8 (Moro
 * 1995).
 */
export function normalQuantile(probability: number): number {
  const y = probability - 0.5;
  if (Math.abs(y) < 0.42) {
    const square = y * y;
    const { numerator, denominator } = central;
    return (y * polynomial(numerator, square)) / (1 + square * polynomial(denominator, square));
  }
  const size = polynomial(tail, Math.log(-Math.log(y > 0 ? 1 - probability : probability)));
  return y > 0 ? size : -size;
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

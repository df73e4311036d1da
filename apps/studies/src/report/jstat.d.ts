declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      /** The quantile function of Student's t distribution with `degrees` degrees of freedom. */
      inv(probability: number, degrees: number): number;
    };
  };
  export default jstat;
}

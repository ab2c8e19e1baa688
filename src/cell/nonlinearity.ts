export interface Nonlinearity {
  /** Math.tanh unless given: the float64 reference of the tanh that trainer and engine use. */
  readonly tanh?: (x: number) => number;
}

/** σ(x) = 1 / (1 + e^-x) = 0.5 + 0.5 tanh(x / 2), so that one tanh makes the whole cell. */
export function sigmoidFrom(tanh: (x: number) => number): (x: number) => number {
  return (x) => 0.5 + 0.5 * tanh(x / 2);
}

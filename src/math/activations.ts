/** Rounds a float64 to the precision in use: Math.fround, or nothing for gradient checks in float64. */
export type Round = (x: number) => number;

// The odd 13/6 rational of Eigen's float tanh (error 3e-7); beyond the clamp it is 1 to the last float32 bit.
const CLAMP = Math.fround(7.905311107635498);
const P1 = Math.fround(4.89352455891786e-3);
const P3 = Math.fround(6.37261928875436e-4);
const P5 = Math.fround(1.48572235717979e-5);
const P7 = Math.fround(5.12229709037114e-8);
const P9 = Math.fround(-8.60467152213735e-11);
const P11 = Math.fround(2.00018790482477e-13);
const P13 = Math.fround(-2.76076847742355e-16);
const Q0 = Math.fround(4.89352518554385e-3);
const Q2 = Math.fround(2.268434632439e-3);
const Q4 = Math.fround(1.18534705686654e-4);
const Q6 = Math.fround(1.19825839466702e-6);

/** The project's tanh under another rounding; made of basic operations, so every machine gives the same bits. */
export function createTanh(round: Round): (x: number) => number {
  return (value) => {
    const x = value > CLAMP ? CLAMP : value < -CLAMP ? -CLAMP : value;
    const x2 = round(x * x);
    let p = round(round(x2 * P13) + P11);
    p = round(round(x2 * p) + P9);
    p = round(round(x2 * p) + P7);
    p = round(round(x2 * p) + P5);
    p = round(round(x2 * p) + P3);
    p = round(round(x2 * p) + P1);
    let q = round(round(x2 * Q6) + Q4);
    q = round(round(x2 * q) + Q2);
    q = round(round(x2 * q) + Q0);
    return round(round(x * p) / q);
  };
}

/** tanh in float32. */
export const tanh = createTanh(Math.fround);

/** The same of [at, at + length), in place. Written out, because a call a number may box each result on the heap. */
export function tanhInPlace(values: Float32Array, at: number, length: number): void {
  for (let j = at; j < at + length; j++) {
    const value = values[j];
    const x = value > CLAMP ? CLAMP : value < -CLAMP ? -CLAMP : value;
    const x2 = Math.fround(x * x);
    let p = Math.fround(Math.fround(x2 * P13) + P11);
    p = Math.fround(Math.fround(x2 * p) + P9);
    p = Math.fround(Math.fround(x2 * p) + P7);
    p = Math.fround(Math.fround(x2 * p) + P5);
    p = Math.fround(Math.fround(x2 * p) + P3);
    p = Math.fround(Math.fround(x2 * p) + P1);
    let q = Math.fround(Math.fround(x2 * Q6) + Q4);
    q = Math.fround(Math.fround(x2 * q) + Q2);
    q = Math.fround(Math.fround(x2 * q) + Q0);
    values[j] = Math.fround(x * p) / q;
  }
}

/** sigma(x) = 0.5 + 0.5 tanh(x / 2) of [at, at + length), in place. */
export function sigmoidInPlace(values: Float32Array, at: number, length: number): void {
  for (let j = at; j < at + length; j++) values[j] *= 0.5;
  tanhInPlace(values, at, length);
  for (let j = at; j < at + length; j++) values[j] = 0.5 + Math.fround(0.5 * values[j]);
}

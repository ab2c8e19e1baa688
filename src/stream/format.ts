/** The number with the fewest digits that rounds to this float32: 38.4, where a double would say 38.400001525878906. */
export function shortestFloat32(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** 10^0 to 10^12, exact in a double. */
const powers = Array.from({ length: 13 }, (_, exponent) => Number(`1e${exponent}`));

/** `shortestFloat32` as JSON. */
export function float32Text(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return `${value < 0 ? '-' : ''}${decimalText(size)}`;
  return JSON.stringify(shortestFloat32(value));
}

/** Exact as long as a float32, 24 bits, times 10^decimals, at most 28 more, has no more than the 53 bits of a double. */
function decimalText(size: number): string {
  for (let decimals = decimalsOf(size), left = 3; ; decimals++, left--) {
    const scaled = size * powers[decimals];
    const floor = Math.floor(scaled);
    const digits = scaled - floor >= 0.5 ? floor + 1 : floor;
    const short = digits / powers[decimals];
    if (left === 0 || Math.fround(short) === size) return pointText(digits, decimals);
  }
}

/** Digits behind the point that make six in all. */
function decimalsOf(size: number): number {
  let decimals = 5;
  for (let least = 1; least <= 1e5 && size >= 10 * least; least *= 10) decimals--;
  for (let least = 1; size < least; least /= 10) decimals++;
  return decimals;
}

/** 0 to 999, as they stand before the point, as three digits behind it, and as the last behind it. V8 would keep what String
 * makes in a cache, from where it goes into the old generation. */
const wholes = Array.from({ length: 1000 }, (_, number) => String(number));
const groups = wholes.map((text) => text.padStart(3, '0'));
const ends = groups.map((text) => text.replace(/0+$/, ''));

function pointText(digits: number, decimals: number): string {
  const whole = Math.floor(digits / powers[decimals]);
  const thousands = Math.floor(whole / 1000);
  let text = thousands === 0 ? wholes[whole] : wholes[thousands] + groups[whole - 1000 * thousands];
  let part = digits - whole * powers[decimals];
  if (part === 0) return text;
  text += '.';
  // in groups of three: at most 14 digits, exact in a double
  const missing = (3 - (decimals % 3)) % 3;
  part *= powers[missing];
  for (let places = decimals + missing - 3; ; places -= 3) {
    const group = Math.floor(part / powers[places]);
    part -= group * powers[places];
    if (part === 0) return text + ends[group];
    text += groups[group];
  }
}

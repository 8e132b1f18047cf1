/** Nano-dollars as dollars, exact, at least two decimals and no zeros after them: `0.00125`, `12.50`. */
export function dollars(nano: bigint | number): string {
  const whole = typeof nano === 'bigint' ? nano : BigInt(Math.round(nano));
  const digits = (whole < 0n ? -whole : whole).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -9)}.${fraction}`;
}

/** Nano-dollars of what `dollars` printed. Throws SyntaxError for anything else. */
export function nanoDollars(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(`${whole}${fraction.padEnd(9, '0')}`);
}

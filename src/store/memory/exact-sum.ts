/** A sum of whole numbers that is exact however large it grows: a number while it is a safe integer, which it nearly always is. */
export class ExactSum {
  #small = 0;
  /** What has outgrown `#small`. */
  #large = 0n;
  /** The sum, once somebody has asked for it. */
  #known: bigint | null = 0n;

  get value(): bigint {
    this.#known ??= this.#large + BigInt(this.#small);
    return this.#known;
  }

  get isZero(): boolean {
    return this.#large === 0n ? this.#small === 0 : this.value === 0n;
  }

  /** Throws a RangeError, and changes nothing, unless it is a whole number. */
  add(amount: number): void {
    if (amount === 0) return;
    const sum = this.#small + amount;
    if (Number.isSafeInteger(sum)) this.#small = sum;
    else {
      this.#large += BigInt(amount) + BigInt(this.#small);
      this.#small = 0;
    }
    this.#known = null;
  }

  addLarge(amount: bigint): void {
    const number = Number(amount);
    if (Number.isSafeInteger(number)) {
      this.add(number);
      return;
    }
    this.#large += amount;
    this.#known = null;
  }

  clear(): void {
    this.#small = 0;
    this.#large = 0n;
    this.#known = 0n;
  }

  /** Whether this, `other` and `amount`, none of them negative, are together more than `most`. */
  passes(other: ExactSum, amount: number, most: bigint): boolean {
    if (this.#large === 0n && other.#large === 0n) {
      const sum = this.#small + other.#small + amount;
      // A maximum beyond the safe integers is rounded to one that no safe sum reaches.
      if (Number.isSafeInteger(sum)) return sum > Number(most);
    }
    return this.value + other.value + BigInt(amount) > most;
  }
}

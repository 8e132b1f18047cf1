import { AdminError } from './reply.js';

/** Reads the query of one request; every mistake is a 400 that names the parameter. */
export class Query {
  readonly #values: URLSearchParams;

  /** Throws for parameters that the endpoint does not know: a mistyped filter must not show everything. */
  constructor(values: URLSearchParams, allowed: readonly string[]) {
    for (const name of values.keys()) {
      if (!allowed.includes(name)) {
        const known = allowed.length === 0 ? 'this endpoint takes none' : `known: ${allowed.join(', ')}`;
        throw invalid(name, `Unknown query parameter (${known}).`);
      }
      if (values.getAll(name).length > 1) throw invalid(name, 'Given more than once.');
    }
    this.#values = values;
  }

  text(name: string): string | null {
    const value = this.#values.get(name);
    return value === null || value === '' ? null : value;
  }

  integer(name: string, range: { readonly from: number; readonly to: number }): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= range.from && number <= range.to)) {
      throw invalid(name, `Must be a whole number from ${range.from} to ${range.to}.`);
    }
    return number;
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | null {
    const value = this.text(name);
    const word = words.find((one) => one === value);
    if (value !== null && word === undefined) throw invalid(name, `Must be one of ${words.join(', ')}.`);
    return word ?? null;
  }

  /** Epoch milliseconds of an ISO 8601 time; a date alone means 00:00 UTC. */
  time(name: string): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const shape = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
    // A plus sign in a query is a space unless the client encoded it.
    const milliseconds = Date.parse(shape.test(value.replace(' ', '+')) ? value.replace(' ', '+') : '');
    if (Number.isNaN(milliseconds)) throw invalid(name, 'Must be an ISO 8601 time such as 2026-11-22T10:00:00Z.');
    return milliseconds;
  }

  /** Comma-separated names. */
  names(name: string): readonly string[] {
    const list = (this.text(name) ?? '').split(',').map((item) => item.trim());
    const names = [...new Set(list.filter((item) => item !== ''))];
    if (names.length > 8 || names.some((item) => !/^[A-Za-z][\w.-]{0,63}$/.test(item))) {
      throw invalid(name, 'Must be up to 8 field names, separated by commas.');
    }
    return names;
  }
}

function invalid(name: string, message: string): AdminError {
  return new AdminError(400, 'invalid_parameter', `${name.slice(0, 64)}: ${message}`, { param: name.slice(0, 64) });
}

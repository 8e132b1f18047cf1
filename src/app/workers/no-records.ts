import type { Records } from '../../accounting/records/create-records.js';
import { RecordsUnavailableError } from '../../accounting/records/record.js';

const refuse = () => Promise.reject(new RecordsUnavailableError('another worker keeps them'));

/** In workers that leave the records to the first one, which reads the ledgers of all. */
export const NO_RECORDS: Records = {
  list: refuse,
  get: refuse,
  usage: refuse,
  content: refuse,
  entries: refuse,
  poke: () => undefined,
  state: () => ({ behindBytes: 0, written: 0, damagedLines: 0, error: null, errorSince: null }),
  use: () => undefined,
  close: () => Promise.resolve(),
};

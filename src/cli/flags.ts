import { type Command, InvalidArgumentError } from 'commander';
import { parseAddress } from '../config/address.js';
import { parseDuration } from '../config/quantity.js';
import type { Address } from '../config/snapshot.js';

/** The `--config` of every command that reads one. */
export function withConfigFlag(command: Command): Command {
  return command.option('-c, --config <file>', 'config file (default: $TOLLGATE_CONFIG, then tollgate.yaml)');
}

/** For `option(…, addressFlag)`: `host:port`. */
export function addressFlag(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw new InvalidArgumentError('It must be host:port.');
  return address;
}

/** For `option(…, durationFlag)`: milliseconds of `30s`, `5m`. */
export function durationFlag(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === null) throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  return milliseconds;
}

/** For `option(…, indexFlag)`: a whole number from 0. */
export function indexFlag(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

/** For `option(…, countFlag)`: a whole number from 1. */
export function countFlag(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

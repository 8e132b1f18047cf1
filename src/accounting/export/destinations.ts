import type { Destination, ExportSettings } from './destination.js';
import { lago } from './lago.js';
import { openmeter } from './openmeter.js';
import { stripe } from './stripe.js';
import { webhook } from './webhook.js';

const KINDS: Readonly<Record<ExportSettings['kind'], (settings: ExportSettings) => Destination>> = {
  webhook,
  openmeter,
  lago,
  stripe,
};

export function createDestination(settings: ExportSettings): Destination {
  return KINDS[settings.kind](settings);
}

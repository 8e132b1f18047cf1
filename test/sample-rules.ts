import type { Snapshot } from '../src/config/snapshot.js';

/** What a snapshot says about limits, money and identity when the configuration says nothing. */
export const NO_RULES: Pick<
  Snapshot,
  'timeZone' | 'store' | 'routes' | 'limits' | 'jwt' | 'discounts' | 'billing' | 'exporters' | 'alerts' | 'retention'
> = {
  timeZone: 'UTC',
  store: { kind: 'memory' },
  routes: [],
  limits: [],
  jwt: [],
  discounts: [],
  billing: null,
  exporters: [],
  alerts: null,
  retention: { recordsMs: null, contentMs: null, rollupsMs: null, ledgerMs: null },
};

/** Price fields that most overrides leave open. */
export const NO_EXTRA_PRICES = { inputAudio: null, outputAudio: null, inputImage: null, reasoning: null, unit: 0 };

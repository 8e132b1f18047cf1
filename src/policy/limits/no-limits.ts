import type { Covering, Limiter } from './limiter.js';

const NOTHING: Covering = { rules: [], countsTokens: false, countsCost: false, hardCost: false };

/** For a configuration without limits: nothing is looked up, nothing is held. */
export const NO_LIMITS: Limiter = {
  covering: (_subject, done) => done(NOTHING),
  hold: (ask, done) => done({ kind: 'held', held: { id: ask.id, places: {}, headers: [], shadowed: [] } }),
  settle: () => undefined,
  states: (_names, subject, done) => done(subject),
  rows: (done) => done([]),
};

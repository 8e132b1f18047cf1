import type { Form, Protocol } from './ask.js';
import type { Case, Scenario } from './scenario.js';
import { SCENARIOS } from './table.js';

const FORMS: readonly Form[] = ['stream', 'json'];
const PROTOCOLS: readonly Protocol[] = ['http/1.1', 'http/2'];
const MANY = 50;

/** Played in every way also in the short matrix: a status, no connection, silence, a bad first token, a cut, and two that fail. */
const NAMED: ReadonlySet<string> = new Set([
  '429-retry-after',
  '500-once',
  'refused',
  'late-first-token',
  'error-inside-200',
  'cut-by-reset',
  'two-of-three',
]);

type Group = readonly [name: string, cases: readonly Case[]];

function takes(scenario: Scenario, form: Form): boolean {
  return scenario.forms?.includes(form) ?? true;
}

/** Each scenario once, and the named ones over HTTP/2, as JSON and many at once; on one gateway. */
export function shortMatrix(): readonly Group[] {
  const cases = SCENARIOS.flatMap((scenario): Case[] => {
    const form = takes(scenario, 'stream') ? 'stream' : 'json';
    const once: Case = { scenario, form, protocol: 'http/1.1', parallel: 1 };
    if (!NAMED.has(scenario.name)) return [once];
    const json: Case[] = takes(scenario, 'json') ? [{ ...once, form: 'json' }] : [];
    return [once, { ...once, protocol: 'http/2' }, ...json, { ...once, parallel: MANY }];
  });
  return [['each once', cases]];
}

/** Everything, on a gateway for each combination. */
export function fullMatrix(): readonly Group[] {
  const groups: Group[] = [];
  for (const form of FORMS) {
    for (const protocol of PROTOCOLS) {
      for (const parallel of [1, MANY]) {
        const scenarios = SCENARIOS.filter((scenario) => takes(scenario, form));
        const cases = scenarios.map((scenario) => ({ scenario, form, protocol, parallel }));
        groups.push([`${form}, ${protocol}, ${parallel}`, cases]);
      }
    }
  }
  return groups;
}

import { script } from './script.js';

/**
 * Replaces a hold by what was used.
 *
 * - KEYS from 4: the hold.
 * - ARGV from 4: id, `settle` or `release` (as if it had never been held), requests, input tokens, output tokens, tokens, cost.
 * - Answers: `settled` with the time and for each counter its key, start, end, used and held · `unknown` · `epoch`.
 */
export const SETTLE = script(`
if isOtherEpoch() then return {'epoch'} end
local id = ARGV[4]
local now = clock()
expire(now)
local record = call('GET', KEYS[4])
if not record or string.sub(record, 1, 1) ~= 'o' then return {'unknown'} end
-- When more is due than one call lets go.
if tonumber(string.match(record, '^o\\t(%d+)')) <= now then
  finish(id, record, nil)
  return {'unknown'}
end
local actual = {r = ARGV[6], i = ARGV[7], o = ARGV[8], t = ARGV[9], c = ARGV[10]}
local items = finish(id, record, actual)
if ARGV[5] == 'release' then call('DEL', KEYS[4]) end
return statesOf(items, {'settled', text(now)}, now)
`);

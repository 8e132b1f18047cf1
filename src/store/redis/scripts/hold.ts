import { script } from './script.js';

/**
 * Holds on all counters or on none.
 *
 * - KEYS from 4: the hold, then each counter.
 * - ARGV from 4: id, ttl in ms, how many processes should have told their ledgers, for how many ms of a new epoch to insist on
 *   that; then for each counter: its window (3), dimension, amount, maximum or ''.
 * - Answers: `held` or `refused` with the time, the indexes exceeded, and for each counter start, end, used and held as they
 *   were before · `known` with the time and for each counter of the first hold its key, start, end, used and held ·
 *   `window` with the time that a given window does not contain · `seeding` · `epoch`.
 */
export const HOLD = script(`
if isOtherEpoch() then return {'epoch'} end
local id, ttl = ARGV[4], tonumber(ARGV[5])
local now = clock()
expire(now)
local known = call('GET', KEYS[4])
if known then return statesOf(itemsOf(known), {'known', text(now)}, now) end
if call('SCARD', KEYS[3]) < tonumber(ARGV[6]) then
  if now < tonumber(call('HGET', KEYS[1], 'opened')) + tonumber(ARGV[7]) then return {'seeding'} end
end
local counters, exceeded, states = {}, {}, {}
for index = 5, #KEYS do
  local at = 8 + (index - 5) * 6
  local key, of, amount, most = KEYS[index], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local kind, window = windowAt(at)
  if isOutside(kind, window, now) then return {'window', text(now)} end
  local start, ends, used, held, exists = present(key, kind, window, now)
  if exceeds(used, held, amount, LARGEST) then return redis.error_reply('ERR a sum of 64 bits is full') end
  if most ~= '' and amount ~= '0' and exceeds(used, held, amount, most) then exceeded[#exceeded + 1] = index - 5 end
  window.start, window.finish = start, ends
  counters[#counters + 1] = {key = key, of = of, kind = kind, window = window, amount = amount, exists = exists}
  for _, value in ipairs({start, ends, used, held}) do states[#states + 1] = value end
end
local answer = {'held', text(now), table.concat(exceeded, ',')}
for _, value in ipairs(states) do answer[#answer + 1] = value end
if #exceeded > 0 then
  answer[1] = 'refused'
  return answer
end
local record = {'o\\t', text(now + ttl), '\\n'}
for _, counter in ipairs(counters) do
  local key, kind, window, amount = counter.key, counter.kind, counter.window, counter.amount
  if not counter.exists then makeWindow(key, kind, window, now) end
  if kind == 's' then
    add(key, 'h' .. text(window.start / slotLength(window.ms)), amount)
    call('PEXPIRE', key, text(window.ms + 2 * slotLength(window.ms)))
  end
  add(key, 'h', amount)
  local name = string.sub(key, #prefix + 3)
  record[#record + 1] = table.concat({name, counter.of, kind, text(window.ms), window.start, amount}, '\\t') .. '\\n'
end
-- Longer than it is open: whoever lets it expire has to read it.
call('SET', KEYS[4], table.concat(record), 'PX', text(ttl + 86400000))
call('ZADD', KEYS[2], text(now + ttl), id)
return answer
`);

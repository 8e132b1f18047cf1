import { script } from './script.js';

/**
 * Adds a ledger's sums and holds, each ledger once in an epoch, in pieces: first all entries are put into a list, then the ledger
 * claims it, then the list is worked off. A process that dies in between is continued by whoever tells the same ledger next.
 *
 * - KEYS from 4: ledgers (hash: `done` or the list's name).
 * - ARGV from 4: process, ledger, name of the list (for a ledger that has none), most entries at once.
 * - Entries are JSON: `{"used":{…}}` or `{"id","ttl","places":[…]}`, each place with `k` counter, `d` kind of window, `m` its ms,
 *   `s` start, `e` end or '', `o` dimension, `a` sum or amount as text.
 * - Answers: `more`, `done` or `epoch`.
 */
export const SEED = script(`
if isOtherEpoch() then return {'epoch'} end
local now = clock()
local ledger = ARGV[5]
call('HSETNX', KEYS[4], ledger, ARGV[6])
local name = call('HGET', KEYS[4], ledger)

-- False: that window is over.
local function makeRoom(place, key)
  if place.d == 's' then
    local length = slotLength(place.m)
    local first = math.floor((now - place.m + 1) / length)
    if place.s / length < first then return false end
    local _, _, exists = slide(key, first)
    if not exists then makeWindow(key, 's', {ms = place.m}, now) end
    call('PEXPIRE', key, text(place.m + 2 * length))
    return true
  end
  if place.e ~= '' and now >= tonumber(place.e) then return false end
  local start = call('HGET', key, 's')
  if start == text(place.s) then return true end
  if start and tonumber(start) > place.s then return false end
  makeWindow(key, place.d, {start = text(place.s), finish = place.e}, now)
  return true
end

local function put(place, field)
  local key = prefix .. 'c:' .. place.k
  if not makeRoom(place, key) then return end
  if place.d == 's' then add(key, field .. text(place.s / slotLength(place.m)), place.a) end
  add(key, field, place.a)
end

local function hold(entry)
  local key = prefix .. 'h:' .. entry.id
  if call('EXISTS', key) == 1 then return end
  local record = {'o\\t', text(now + entry.ttl), '\\n'}
  for _, place in ipairs(entry.places) do
    put(place, 'h')
    record[#record + 1] = table.concat({place.k, place.o, place.d, text(place.m), text(place.s), place.a}, '\\t') .. '\\n'
  end
  call('SET', key, table.concat(record), 'PX', text(entry.ttl + 86400000))
  call('ZADD', KEYS[2], text(now + entry.ttl), entry.id)
end

if name ~= 'done' then
  local list = prefix .. 'seed:' .. name
  local most = tonumber(ARGV[7])
  for _, line in ipairs(call('LRANGE', list, 0, most - 1)) do
    local entry = cjson.decode(line)
    if entry.used then put(entry.used, 'u') else hold(entry) end
  end
  call('LTRIM', list, most, -1)
  if call('EXISTS', list) == 1 then return {'more'} end
  call('HSET', KEYS[4], ledger, 'done')
end
call('SADD', KEYS[3], ARGV[4])
return {'done'}
`);

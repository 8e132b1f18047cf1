import { createHash } from 'node:crypto';

/** A Lua script as Redis and Valkey keep it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/**
 * What all scripts share. Sums are text, added by Redis (64 bits) and compared here by limbs, because Lua's numbers are
 * doubles. Times and slot numbers are small enough for doubles.
 *
 * - KEYS: 1 head · 2 open holds by expiry · 3 processes that have told their ledger · then those of the script.
 * - ARGV: 1 what all keys begin with · 2 the epoch that the caller knows · 3 a test's clock, or '' · then those of the script.
 * - Head (hash): `epoch`, `opened` (when it began), `clock` (last time seen).
 * - `c:<counter key>` (hash): `s` and `e` start and end of the window, `u` used, `h` held. Sliding: `f` the first slot that
 *   counts, `u<slot>` and `h<slot>`, `u` and `h` their sums.
 * - `h:<hold id>`: `o` (open) or `f` (finished), its expiry, and a line for each counter: key, dimension, kind of window,
 *   its milliseconds, start of the window or slot, amount.
 * - Kinds of windows: `d` duration, `s` sliding, `c` calendar (the caller says from when to when), `t` total.
 */
const SHARED = `
local call = redis.call
local prefix = ARGV[1]
local SLOTS = 60
local MOST_EXPIRED = 100
local REMEMBER_MS = 60000
local LARGEST = '9000000000000000000'

local function text(number) return string.format('%.0f', number) end

local function clock()
  local seen = tonumber(call('HGET', KEYS[1], 'clock') or 0)
  local now
  if ARGV[3] == '' then
    local time = call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  else
    now = tonumber(ARGV[3])
  end
  if now <= seen then return seen end
  call('HSET', KEYS[1], 'clock', text(now))
  return now
end

local function isOtherEpoch() return call('HGET', KEYS[1], 'epoch') ~= ARGV[2] end

-- The part above and the part below 10^9.
local function limbs(sum)
  if #sum < 10 then return 0, tonumber(sum) end
  return tonumber(string.sub(sum, 1, -10)), tonumber(string.sub(sum, -9))
end

local function exceeds(used, held, amount, most)
  if #most > 19 then return false end
  local high, low = 0, 0
  for _, sum in ipairs({used, held, amount}) do
    local above, below = limbs(sum)
    high, low = high + above, low + below
  end
  high, low = high + math.floor(low / 1000000000), low % 1000000000
  local mostHigh, mostLow = limbs(most)
  return high > mostHigh or (high == mostHigh and low > mostLow)
end

local function add(key, field, sum)
  if sum ~= '0' then call('HINCRBY', key, field, sum) end
end

local function take(key, field, sum)
  if sum and sum ~= '0' then call('HINCRBY', key, field, '-' .. sum) end
end

local function slotLength(ms) return math.max(1, math.ceil(ms / SLOTS)) end

-- Lets the slots before this one go; what is left, and whether there is anything.
local function slide(key, first)
  local state = call('HMGET', key, 'f', 'u', 'h')
  if not state[1] then return '0', '0', false end
  local from = tonumber(state[1])
  if first <= from then return state[2], state[3], true end
  local fields = {}
  for slot = from, math.min(first - 1, from + SLOTS + 1) do
    fields[#fields + 1] = 'u' .. text(slot)
    fields[#fields + 1] = 'h' .. text(slot)
  end
  for index, sum in ipairs(call('HMGET', key, unpack(fields))) do
    take(key, index % 2 == 1 and 'u' or 'h', sum)
  end
  call('HDEL', key, unpack(fields))
  call('HSET', key, 'f', text(first))
  state = call('HMGET', key, 'u', 'h')
  return state[1], state[2], true
end

-- Start, end, used, held of the window at now, and whether it is there. For calendars start and finish are given.
local function present(key, kind, window, now)
  if kind == 's' then
    local length = slotLength(window.ms)
    local used, held, exists = slide(key, math.floor((now - window.ms + 1) / length))
    return text(math.floor(now / length) * length), '', used, held, exists
  end
  local start, finish = window.start, window.finish
  if kind == 'd' then
    start = text(math.floor(now / window.ms) * window.ms)
    finish = text(start + window.ms)
  end
  local state = call('HMGET', key, 's', 'u', 'h')
  if state[1] == start then return start, finish, state[2], state[3], true end
  return start, finish, '0', '0', false
end

local function makeWindow(key, kind, window, now)
  if kind == 's' then
    local length = slotLength(window.ms)
    call('HSET', key, 'f', text(math.floor((now - window.ms + 1) / length)), 'u', '0', 'h', '0')
    return
  end
  call('DEL', key)
  call('HSET', key, 's', window.start, 'e', window.finish, 'u', '0', 'h', '0')
  if window.finish ~= '' then call('PEXPIRE', key, text(window.finish - now)) end
end

local function itemsOf(record)
  local items = {}
  for key, of, kind, ms, start, amount in string.gmatch(record, '([^\\t\\n]*)\\t(%a)\\t(%a)\\t(%d+)\\t(%d+)\\t(%d+)\\n') do
    items[#items + 1] = {name = key, key = prefix .. 'c:' .. key, of = of, kind = kind, ms = tonumber(ms), start = start, amount = amount}
  end
  return items
end

-- Used instead of held, if the window or slot is not over.
local function replace(item, used)
  local key = item.key
  if item.kind == 's' then
    local first = call('HGET', key, 'f')
    local slot = tonumber(item.start) / slotLength(item.ms)
    if not first or slot < tonumber(first) then return end
    local name = text(slot)
    add(key, 'u' .. name, used)
    take(key, 'h' .. name, item.amount)
  elseif call('HGET', key, 's') ~= item.start then
    return
  end
  add(key, 'u', used)
  take(key, 'h', item.amount)
  if item.kind == 't' then
    local left = call('HMGET', key, 'u', 'h')
    if left[1] == '0' and left[2] == '0' then call('DEL', key) end
  end
end

-- Without actual amounts nobody can say what was used: all that was held.
local function finish(id, record, actual)
  local items = itemsOf(record)
  for _, item in ipairs(items) do
    if item.of == 'x' then replace(item, '0')
    else replace(item, actual and actual[item.of] or item.amount) end
  end
  call('ZREM', KEYS[2], id)
  call('SET', prefix .. 'h:' .. id, 'f' .. string.sub(record, 2), 'PX', REMEMBER_MS)
  return items
end

-- The states of a hold's counters, with the windows as far as they are known here.
local function statesOf(items, answer, now)
  for _, item in ipairs(items) do
    local start, ends, used, held
    if item.kind == 'c' then
      local state = call('HMGET', item.key, 's', 'e', 'u', 'h')
      start, ends, used, held = state[1] or '', state[2] or '', state[3] or '0', state[4] or '0'
      if start == '' or now >= tonumber(ends) then start, ends, used, held = '', '', '0', '0' end
    else
      start, ends, used, held = present(item.key, item.kind, {ms = item.ms, start = '0', finish = ''}, now)
    end
    for _, value in ipairs({item.name, start, ends, used, held}) do answer[#answer + 1] = value end
  end
  return answer
end

local function expire(now)
  for _, id in ipairs(call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, MOST_EXPIRED)) do
    local record = call('GET', prefix .. 'h:' .. id)
    if record and string.sub(record, 1, 1) == 'o' then finish(id, record, nil)
    else call('ZREM', KEYS[2], id) end
  end
end

-- Three arguments for each counter's window: kind, and start and end or milliseconds.
local function windowAt(index)
  local kind, first, second = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  if kind == 'd' or kind == 's' then return kind, {ms = tonumber(first)} end
  return kind, {start = first, finish = second, ms = 0}
end

local function isOutside(kind, window, now)
  return kind == 'c' and (now < tonumber(window.start) or now >= tonumber(window.finish))
end
`;

export function script(body: string): Script {
  const text = `${SHARED}${body}`;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

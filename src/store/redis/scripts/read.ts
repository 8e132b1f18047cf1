import { script } from './script.js';

/**
 * - KEYS from 4: counters. ARGV from 4: for each its window (3).
 * - Answers: `read` with the time and for each counter start, end, used and held · `window` with the time that a given window
 *   does not contain · `epoch`.
 */
export const READ = script(`
if isOtherEpoch() then return {'epoch'} end
local now = clock()
expire(now)
local answer = {'read', text(now)}
for index = 4, #KEYS do
  local kind, window = windowAt(4 + (index - 4) * 3)
  if isOutside(kind, window, now) then return {'window', text(now)} end
  local start, ends, used, held = present(KEYS[index], kind, window, now)
  for _, value in ipairs({start, ends, used, held}) do answer[#answer + 1] = value end
end
return answer
`);

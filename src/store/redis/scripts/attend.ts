import { script } from './script.js';

/**
 * Says that a process is there, and opens the store if it is empty.
 *
 * - KEYS from 4: living processes by the time they were last seen. ARGV from 4: process, epoch for an empty store, ms after which
 *   a silent process is gone.
 * - Answers: epoch, time, how many processes there are, 1 if this one has told its ledger.
 */
export const ATTEND = script(`
if call('HSETNX', KEYS[1], 'epoch', ARGV[5]) == 1 then call('HSET', KEYS[1], 'opened', text(clock())) end
local now = clock()
call('ZADD', KEYS[4], text(now), ARGV[4])
call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '(' .. text(now - ARGV[6]))
expire(now)
return {call('HGET', KEYS[1], 'epoch'), text(now), call('ZCARD', KEYS[4]), call('SISMEMBER', KEYS[3], ARGV[4])}
`);

/*
 * Markers in Redis: a hash for each aggregate (`id` and `event`; `pending` while its message may not be written; `at`, when it was set),
 * which expires, and one sorted set of those that are pending, by when they were set. Time is the server's.
 */

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** Keys: marker. @returns nothing, or event, pending or empty, and its age in ms. */
export const READ_MARKER = `${NOW}
  local found = redis.call('HMGET', KEYS[1], 'event', 'pending', 'at')
  if not found[1] then return false end
  return { found[1], found[2] or '', now - found[3] }`;

/** Keys: marker, pending. Arguments: id validated against, id, event, pending, time to live in ms, aggregate. @returns 1: it was set. */
export const PLACE_MARKER = `${NOW}
  local id = redis.call('HGET', KEYS[1], 'id')
  if id and (id ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'pending') == 1) then return 0 end
  redis.call('HSET', KEYS[1], 'id', ARGV[2], 'event', ARGV[3], 'pending', ARGV[4], 'at', now)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  redis.call('ZADD', KEYS[2], now, ARGV[6])
  return 1`;

/** Keys: marker, pending. Arguments: id, event, time to live in ms, aggregate. */
export const SETTLE_MARKER = `${NOW}
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
  redis.call('ZREM', KEYS[2], ARGV[4])
  redis.call('HDEL', KEYS[1], 'pending')
  redis.call('HSET', KEYS[1], 'event', ARGV[2], 'at', now)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1`;

/** Keys: marker, pending. Arguments: id, aggregate. */
export const DROP_MARKER = `
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
  redis.call('ZREM', KEYS[2], ARGV[2])
  redis.call('DEL', KEYS[1])
  return 1`;

/** Keys: pending. Arguments: age in ms, most, what stands before an aggregate in its marker's key. @returns aggregates; others of the set that are over leave it. */
export const OVERDUE_MARKERS = `${NOW}
  local overdue = {}
  for _, aggregate in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1], 'LIMIT', 0, ARGV[2])) do
    if redis.call('HEXISTS', ARGV[3] .. aggregate, 'pending') == 1 then
      overdue[#overdue + 1] = aggregate
    else
      redis.call('ZREM', KEYS[1], aggregate)
    end
  end
  return overdue`;

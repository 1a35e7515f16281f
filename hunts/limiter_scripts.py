"""What Valkey does in one step, on its own clock, for the limiter of a source.

KEYS: the turns that are held, by when they end; the questions lately asked, by when; until when the source is
left alone; whether the counts are known.
"""

TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[4]) == 0 then return {2, 0} end
redis.call('PEXPIRE', KEYS[4], ARGV[6])
local paused = tonumber(redis.call('GET', KEYS[3]) or '0')
if paused > now then return {0, paused - now} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return {0, 0} end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return {0, oldest[2] + ARGV[4] - now + 1}
end
redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[1])
redis.call('ZADD', KEYS[2], now, ARGV[1] .. ':' .. now)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return {1, 0}
"""
RENEW = """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
"""
PAUSE = """
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
if tonumber(redis.call('GET', KEYS[3]) or '0') < ends then
    redis.call('SET', KEYS[3], string.format('%.0f', ends), 'PX', ARGV[1])
end
"""
USE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return {redis.call('ZCOUNT', KEYS[1], now, '+inf'), redis.call('ZCOUNT', KEYS[2], now - ARGV[1], '+inf')}
"""
# ARGV: for each question lately asked, its name, its age, and 1 while its worker still holds it.
RECALL = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for first = 3, #ARGV, 3 do
    redis.call('ZADD', KEYS[2], now - ARGV[first + 1], ARGV[first])
    if ARGV[first + 2] == '1' then redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[first]) end
end
redis.call('SET', KEYS[4], 1, 'PX', ARGV[2])
"""

-- Count a request in every window, or in none of them.
-- KEYS: for each window a list of the moments of its requests, the newest first, as the
-- library's own moving window keeps them.
-- ARGV: the moment in seconds ('' for the server's clock, which is the same for all instances),
-- how many requests to count (0: only look), then limit and length in seconds of each window.
-- Answers 1 or 0, then for each window how many requests are in it, and after how many
-- milliseconds the oldest of them leaves it.
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('time')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local amount = tonumber(ARGV[2])
local is_allowed = 1
local used = {}

for i, key in ipairs(KEYS) do
    local limit, length = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local low, high = 0, math.min(limit, redis.call('llen', key))
    while low < high do -- how many of the newest are in the window
        local middle = math.floor((low + high) / 2)
        if tonumber(redis.call('lindex', key, middle)) > now - length then
            low = middle + 1
        else
            high = middle
        end
    end
    used[i] = low
    if low + amount > limit then
        is_allowed = 0
    end
end

local answer = {is_allowed}
for i, key in ipairs(KEYS) do
    local limit, length = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    if is_allowed == 1 and amount == 1 then
        redis.call('lpush', key, string.format('%.6f', now))
        redis.call('ltrim', key, 0, limit - 1)
        redis.call('expire', key, length + 60) -- long after the last request left the window
        used[i] = used[i] + 1
    end
    local left = length
    if used[i] > 0 then
        left = tonumber(redis.call('lindex', key, used[i] - 1)) + length - now
    end
    answer[#answer + 1] = used[i]
    answer[#answer + 1] = math.ceil(left * 1000)
end
return answer

-- The workloads for wrk:
--   wrk … -s bench/wrk/workload.lua URL -- WORKLOAD PRODUCTS QUESTIONS ANSWERS HOT_PRODUCT SEED
-- Prints its figures as one line of JSON, latencies in milliseconds.

local products, questions, answers, hot, seed
local json = { ["Content-Type"] = "application/json" }

local function uniform(n)
  return math.random(1, n)
end

local function page(product)
  return wrk.format("GET", "/qa/questions?product_id=" .. product)
end

local function answers_page()
  return wrk.format("GET", "/qa/questions/" .. uniform(questions) .. "/answers")
end

local function vote()
  if math.random() < 0.5 then
    return wrk.format("PUT", "/qa/questions/" .. uniform(questions) .. "/helpful")
  end
  return wrk.format("PUT", "/qa/answers/" .. uniform(answers) .. "/helpful")
end

local function post()
  local written = '"body":"Does it run small?","name":"jane","email":"jane@example.com"'
  if math.random() < 0.5 then
    local body = "{" .. written .. ',"product_id":' .. uniform(products) .. "}"
    return wrk.format("POST", "/qa/questions", json, body)
  end
  local path = "/qa/questions/" .. uniform(questions) .. "/answers"
  return wrk.format("POST", path, json, "{" .. written .. "}")
end

local function mix()
  local dice = math.random(100)
  if dice <= 85 then return page(uniform(products)) end
  if dice <= 95 then return answers_page() end
  if dice <= 99 then return vote() end
  return post()
end

-- Zipf with s = 1: the chance of a rank is in proportion to 1/rank. The sums of chances are in a
-- table; a rank is found in it by bisection, and scattered over the ids, or popular products
-- would be neighbours on disk.
local sums = {}

local function zipf()
  local dice, low, high = math.random() * sums[products], 1, products
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < dice then low = middle + 1 else high = middle end
  end
  return low * 999983 % products + 1
end

local function sum_chances()
  local sum = 0
  for rank = 1, products do
    sum = sum + 1 / rank
    sums[rank] = sum
  end
end

local workloads = {
  uniform = function() return page(uniform(products)) end,
  zipf = function() return page(zipf()) end,
  hot = function() return page(hot) end,
  answers = answers_page,
  votes = vote,
  mix = mix,
}

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  products, questions, answers, hot, seed =
    tonumber(args[2]), tonumber(args[3]), tonumber(args[4]), args[5], tonumber(args[6])
  math.randomseed(seed * 1000 + number)
  if args[1] == "zipf" then sum_chances() end
  request = workloads[args[1]]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"seconds":%.6f,"requests":%d,"bytes":%d,"status_errors":%d,"socket_errors":%d,' ..
    '"timeouts":%d,"p50":%.3f,"p90":%.3f,"p99":%.3f,"worst":%.3f}\n',
    summary.duration / 1e6, summary.requests, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write, errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3))
end

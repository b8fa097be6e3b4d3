-- The workloads for wrk:
--   wrk … -s bench/wrk/workload.lua URL -- WORKLOAD PRODUCTS QUESTIONS ANSWERS HOT_PRODUCT SEED
-- Prints the results as one line of JSON; latencies are in milliseconds.

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

local function v1_page()
  return wrk.format("GET", "/v1/products/" .. uniform(products) .. "/questions")
end

local function v1_five()
  return wrk.format("GET", "/v1/products/" .. uniform(products) .. "/questions?limit=5")
end

local function v1_unchanged()
  local path = "/v1/products/" .. uniform(products) .. "/questions"
  return wrk.format("GET", path, { ["If-None-Match"] = "*" })
end

local function v1_batch()
  local ids = {}
  for number = 1, 20 do ids[number] = uniform(products) end
  return wrk.format("GET", "/v1/questions?product_ids=" .. table.concat(ids, ","))
end

local function v1_summary()
  return wrk.format("GET", "/v1/products/" .. uniform(products) .. "/summary")
end

local function vote()
  if math.random() < 0.5 then
    return wrk.format("PUT", "/qa/questions/" .. uniform(questions) .. "/helpful")
  end
  return wrk.format("PUT", "/qa/answers/" .. uniform(answers) .. "/helpful")
end

local function post()
  local fields = '"body":"Does it run small?","name":"jane","email":"jane@example.com"'
  if math.random() < 0.5 then
    local body = "{" .. fields .. ',"product_id":' .. uniform(products) .. "}"
    return wrk.format("POST", "/qa/questions", json, body)
  end
  local path = "/qa/questions/" .. uniform(questions) .. "/answers"
  return wrk.format("POST", path, json, "{" .. fields .. "}")
end

local function mix()
  local random = math.random(100)
  if random <= 85 then return page(uniform(products)) end
  if random <= 95 then return answers_page() end
  if random <= 99 then return vote() end
  return post()
end

-- Zipf with s = 1: the probability of a rank is proportional to 1/rank. A rank is found by bisection
-- in a table of cumulative probabilities, and scattered over the ids, since popular products would
-- otherwise be neighbours on disk.
local cumulative = {}

local function zipf()
  local random, low, high = math.random() * cumulative[products], 1, products
  while low < high do
    local middle = math.floor((low + high) / 2)
    if cumulative[middle] < random then low = middle + 1 else high = middle end
  end
  return low * 999983 % products + 1
end

local function accumulate()
  local sum = 0
  for rank = 1, products do
    sum = sum + 1 / rank
    cumulative[rank] = sum
  end
end

local workloads = {
  uniform = function() return page(uniform(products)) end,
  zipf = function() return page(zipf()) end,
  hot = function() return page(hot) end,
  answers = answers_page,
  v1 = v1_page,
  ["v1-five"] = v1_five,
  ["v1-304"] = v1_unchanged,
  ["v1-batch"] = v1_batch,
  ["v1-summary"] = v1_summary,
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
  if args[1] == "zipf" then accumulate() end
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

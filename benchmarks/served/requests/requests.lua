-- The requests of the benchmark, always the same ones: wrk … -s requests.lua -- NAME TOKEN THINGS EACH START
-- START (seconds) is where posted observations begin in time.
local name, token, things, each, start, number

function init(args)
  name, token = args[1], args[2]
  things, each, start = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  number = 0
  math.randomseed(42)
end

local root = "/sta/v1.1/"
local headers = { ["Content-Type"] = "application/json" }

local function stream()
  return string.format("'%d~p0'", math.random(things))
end

local function any_stream()
  return string.format("'%d~p%d'", math.random(things), math.random(each) - 1)
end

local function get(path)
  return wrk.format("GET", path)
end

local function post(path, body)
  headers["Authorization"] = "Bearer " .. token
  return wrk.format("POST", path, headers, body)
end

local function moment()
  number = number + 1
  return os.date("!%Y-%m-%dT%H:%M:%S", start + math.floor(number / 1000)) .. string.format(".%03dZ", number % 1000)
end

local function batch(size)
  local rows = {}
  for place = 1, size do
    rows[place] = string.format('["%s",%.2f]', moment(), math.random() * 40)
  end
  return string.format(
    '[{"Datastream":{"@iot.id":%s},"components":["phenomenonTime","result"],"dataArray@iot.count":%d,"dataArray":[%s]}]',
    string.gsub(any_stream(), "'", '"'), size, table.concat(rows, ","))
end

local requests = {
  empty = function() return get("/health") end,
  post = function()
    local body = string.format('{"phenomenonTime":"%s","result":%.2f}', moment(), math.random() * 40)
    return post(root .. "Datastreams(" .. any_stream() .. ")/Observations", body)
  end,
  batch = function() return post(root .. "CreateObservations", batch(1000)) end,
  page = function() return get(root .. "Datastreams(" .. stream() .. ")/Observations?$top=1000") end,
  expand = function() return get(root .. "Things?$expand=Datastreams") end,
  one = function() return get(root .. "Things(" .. math.random(things) .. ")") end,
  filtered = function()
    local above = string.format("%.2f", 5 + math.random() * 10)
    return get(root .. "Datastreams(" .. stream() .. ")/Observations?$filter=result%20gt%20" .. above ..
      "&$orderby=phenomenonTime%20desc&$top=100")
  end,
}

function request()
  return requests[name]()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d,"bytes":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), summary.bytes))
end

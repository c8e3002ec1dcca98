-- Posts callbacks to signed addresses, each one once: `wrk -s load.lua URL -- TEMPLATE PATHS`.
-- The last line that it prints is JSON.
local paths, pieces, head, n = {}, {}, "", 0

local function read(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  for path in read(args[2]):gmatch("[^\n]+") do paths[#paths + 1] = path end
  for piece in (read(args[1]) .. "@"):gmatch("([^@]*)@") do pieces[#pieces + 1] = piece end
  head = " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nContent-Type: application/json\r\nContent-Length: "
end

-- The template's pieces take turns: text, then TASK or PATH, then text.
function request()
  n = n + 1
  local path, task = paths[(n - 1) % #paths + 1], string.format("t%08d", n)
  local whole = {}
  for i = 1, #pieces do
    local piece = pieces[i]
    whole[i] = piece == "TASK" and task or piece == "PATH" and path or piece
  end
  local body = table.concat(whole)
  return "POST " .. path .. head .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local wrong = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('{"requests": %d, "seconds": %f, "wrong": %d, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, wrong, latency:percentile(99) / 1000))
end

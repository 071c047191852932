-- 16 requests in one write, as the TechEmpower plaintext test sends them.
init = function(args)
  local requests = {}
  for number = 1, 16 do
    requests[number] = wrk.format()
  end
  batch = table.concat(requests)
end

request = function()
  return batch
end

-- A body with its length; how many bytes is said after `--` on the command line.
init = function(args)
  local body = string.rep("x", tonumber(args[1]))
  post = wrk.format("POST", nil, { ["Content-Type"] = "application/octet-stream" }, body)
end

request = function()
  return post
end

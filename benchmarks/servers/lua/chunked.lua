-- A chunked body in chunks of 64 KiB; how many bytes is said after `--` on the command line.
init = function(args)
  local size, piece, parts = tonumber(args[1]), 65536, {}
  parts[1] = "POST / HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n"
    .. "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
  while size > 0 do
    local length = math.min(size, piece)
    parts[#parts + 1] = string.format("%x\r\n", length) .. string.rep("x", length) .. "\r\n"
    size = size - length
  end
  parts[#parts + 1] = "0\r\n\r\n"
  post = table.concat(parts)
end

request = function()
  return post
end

-- The head of a browser behind a proxy that numbers requests: neither target nor fields are those of a request before.
init = function(args)
  number = 0
  before = "GET /polls/3/?page="
  after = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" .. table.concat({
    "Connection: keep-alive",
    "Cache-Control: max-age=0",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
  }, "\r\n") .. "\r\nX-Request-Id: 5f8f7c1e-"
end

request = function()
  number = number + 1
  return before .. number .. after .. number .. "\r\n\r\n"
end

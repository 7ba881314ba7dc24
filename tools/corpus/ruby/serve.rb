# Starts WEBrick for the one setup on the first line of standard input, prints its port, and ends with standard input.
# An adapter defines application(setup), which returns a Rack application.
require 'json'
require 'rack'
require 'rack/handler/webrick'
require 'webrick'
require_relative ARGV.fetch(0)

setup, = JSON.parse($stdin.gets)
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: 0, AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
server.mount('/', Rack::Handler::WEBrick, application(setup))
Thread.new { server.start }
puts JSON.generate([server.listeners.first.addr[1]])
$stdout.flush
$stdin.read

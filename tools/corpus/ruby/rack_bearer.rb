# A Rack API behind rack-oauth2's bearer middleware, whose tokens json-jwt decodes. It has one sentence for every bad token.
require 'json/jwt'
require 'net/http'
require 'rack/oauth2'

class API
  def initialize(setup)
    @routes = setup['routes'].map { |r| [r['method'], r['path'], ->(token, _) { token[:scope].to_s.split.include?(r['scope']) }, r['scope']] }
    @routes << ['GET', setup['accounts'], ->(token, account) { token[:account_id] == account }, nil]
    @routes << ['DELETE', setup['admin'], ->(token, _) { Array(token[:roles]).include?('admin') }, nil]
  end

  def call(env)
    token = env[Rack::OAuth2::Server::Resource::ACCESS_TOKEN]
    request = Rack::OAuth2::Server::Resource::Bearer::Request.new(env)
    request.unauthorized! unless token
    @routes.each do |method, path, allowed, scope|
      found = Regexp.new("\\A#{path.gsub(/\{\w+\}/, '([^/]+)')}\\z").match(env['PATH_INFO'])
      next unless found && method == env['REQUEST_METHOD']
      request.insufficient_scope!(Rack::OAuth2::Server::Resource::ErrorMethods::DEFAULT_DESCRIPTION[:insufficient_scope], scope: scope) unless allowed.call(token, found[1])
      return [200, { 'Content-Type' => 'application/json' }, ['{"items":[]}']]
    end
    [404, {}, []]
  end
end

def application(setup)
  keys = nil
  Rack::Builder.app do
    use Rack::OAuth2::Server::Resource::Bearer, setup['audience'] do |request|
      begin
        keys ||= JSON::JWK::Set.new(JSON.parse(Net::HTTP.get(URI(setup['jwks']))))
        token = JSON::JWT.decode(request.access_token, keys, [setup['algorithm'].to_sym])
      rescue JSON::JWT::Exception, JSON::JWK::Set::KidNotFound
        request.invalid_token!
      end
      now = Time.now.to_i
      fresh = token[:exp].to_i + setup['skew_seconds'] > now && token[:nbf].to_i - setup['skew_seconds'] <= now
      request.invalid_token! unless fresh && token[:iss] == setup['issuer'] && Array(token[:aud]).include?(setup['audience'])
      token
    end
    run API.new(setup)
  end
end

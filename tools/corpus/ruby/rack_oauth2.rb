# A token endpoint of rack-oauth2 whose client assertions ruby-jwt verifies. Its operator passes on what ruby-jwt said in the
# test environment; elsewhere rack-oauth2's own description of the code has to do.
require 'jwt'
require 'rack/oauth2'

def application(setup)
  clients = setup['clients'].to_h { |client| [client['id'], client] }
  seen = {}
  token = Rack::OAuth2::Server::Token.new do |request, response|
    client = clients[request.client_id]
    jwt_bearer = request.client_assertion_type == Rack::OAuth2::URN::ClientAssertionType::JWT_BEARER
    request.invalid_client! unless client && request.client_assertion && jwt_bearer
    begin
      JWT.decode(
        request.client_assertion, nil, true,
        algorithms: [setup['algorithm']], jwks: client['jwks'], leeway: setup['skew_seconds'],
        iss: client['id'], verify_iss: true, sub: client['id'], verify_sub: true,
        aud: setup['origin'] + setup['token_path'], verify_aud: true, verify_iat: true,
        verify_jti: ->(jti) { !jti.to_s.empty? && !seen[[client['id'], jti]] && seen[[client['id'], jti]] = true },
        required_claims: setup['assertion_required']
      )
    rescue JWT::DecodeError => e
      setup['verbose'] ? request.invalid_client!(e.message) : request.invalid_client!
    end
    request.invalid_scope! unless (request.scope - client['scopes']).empty?
    response.access_token = Rack::OAuth2::AccessToken::Bearer.new(access_token: 'granted', expires_in: 3600)
  end
  Rack::URLMap.new(setup['token_path'] => token)
end

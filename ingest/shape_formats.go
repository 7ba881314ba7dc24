package ingest

// conventions are the field names of ECS and of OpenTelemetry's semantic conventions, stable and old, and the few other
// names that can mean nothing else.
func conventions() format {
	return format{name: "ECS/OpenTelemetry", names: []naming{
		{"time", "@timestamp", asTime}, {"time", "timestamp", asTime}, {"time", "ts", asTime},
		{"id", "event.id", asIs},
		{"request_id", "http.request.id", asIs}, {"request_id", "requestId", asIs}, {"request_id", "x_request_id", asIs}, {"request_id", "x-request-id", asIs},
		{"trace_id", "trace.id", asIs}, {"trace_id", "traceId", asIs},
		{"service", "service.name", asIs},
		{"environment", "deployment.environment.name", asIs}, {"environment", "service.environment", asIs}, {"environment", "deployment.environment", asIs},
		{"client_ip", "client.address", asIs}, {"client_ip", "client.ip", asIs}, {"client_ip", "source.ip", asIs},
		{"client_ip", "source.address", asIs}, {"client_ip", "http.client_ip", asIs}, {"client_ip", "network.peer.address", asIs},
		{"user_agent", "user_agent.original", asIs}, {"user_agent", "http.user_agent", asIs},
		{"error", "exception.message", asIs}, {"error", "error.message", asIs},
		{"request.method", "http.request.method", asIs}, {"request.method", "http.method", asIs},
		{"request.url", "url.full", asIs}, {"request.url", "http.url", asIs},
		{"request.url", "url.original", asIs}, {"request.url", "http.target", asIs},
		{"request.url.path", "url.path", asIs}, {"request.url.query", "url.query", asIs},
		{"request.url.scheme", "url.scheme", asIs}, {"request.url.scheme", "http.scheme", asIs},
		{"request.url.host", "url.domain", asIs}, {"request.url.host", "server.address", asIs}, {"request.url.host", "http.host", asIs},
		{"request.url.port", "url.port", asIs}, {"request.url.port", "server.port", asIs},
		{"request.headers", "http.request.headers", asSomeHeaders}, {"request.headers", "request_headers", asSomeHeaders}, {"request.headers", "requestHeaders", asSomeHeaders},
		{"request.headers", "http.request.header.", asHeadersBelow},
		{"request.body", "http.request.body.content", asIs}, {"request.body", "request_body", asAny}, {"request.body", "requestBody", asAny},
		{"response.status", "http.response.status_code", asStatus}, {"response.status", "http.status_code", asStatus},
		{"response.headers", "http.response.headers", asHeaders}, {"response.headers", "response_headers", asHeaders}, {"response.headers", "responseHeaders", asHeaders},
		{"response.headers", "http.response.header.", asHeadersBelow},
		{"response.body", "http.response.body.content", asIs}, {"response.body", "response_body", asAny}, {"response.body", "responseBody", asAny},
		{"time", "date", asFluentBit},
	}}
}

// accessLogs are the access logs that are known by their members. Where a server documents no JSON of its own (nginx,
// HAProxy), the names are those of its variables or of its manual's table, which is what its operators write down.
func accessLogs() []format {
	return []format{
		nginx("nginx", "remote_addr", "status", "request"), nginx("nginx", "remote_addr", "status", "request_method"),
		nginx("nginx", "time_iso8601", "status"), nginx("nginx", "request_uri", "status"),
		envoy(), kong(), caddy(), traefik(), apiGateway(), loadBalancer(), haproxy(), logpush(), pino(),
	}
}

func nginx(name string, marks ...string) format {
	return format{name: name, marks: marks, names: []naming{
		{"time", "time_iso8601", asTime}, {"time", "msec", asSeconds}, {"time", "time_local", asTime}, {"time", "time", asTime},
		{"request.method", "request_method", asIs}, {"request.url", "request_uri", asIs},
		{"request.method", "request", asRequestLine}, {"request.url.path", "uri", asIs},
		{"request.url.scheme", "scheme", asIs}, {"request.url.host", "http_host", asIs}, {"request.url.host", "host", asIs},
		{"response.status", "status", asStatus},
		{"client_ip", "remote_addr", asIs}, {"user_agent", "http_user_agent", asIs}, {"request_id", "http_x_request_id", asIs},
		{"request.headers", "http_", asHeadersBelow},
		{"response.headers", "sent_http_", asHeadersBelow}, {"response.headers", "upstream_http_", asHeadersBelow},
	}}
}

func envoy() format {
	return format{name: "Envoy", marks: []string{"start_time", "response_code"}, names: []naming{
		{"time", "start_time", asTime},
		{"request.method", "method", asIs}, {"request.url", "path", asIs}, {"request.url", "x_envoy_original_path", asIs},
		{"request.url.host", "authority", asIs}, {"request.url.host", ":authority", asIs},
		{"response.status", "response_code", asStatus}, {"error", "response_code_details", asDetails},
		{"client_ip", "x_forwarded_for", asFirst}, {"client_ip", "x-forwarded-for", asFirst}, {"client_ip", "downstream_remote_address", asAddress},
		{"user_agent", "user_agent", asIs}, {"user_agent", "user-agent", asIs},
		{"request_id", "x_request_id", asIs}, {"request_id", "x-request-id", asIs},
		{"access_token.claims", "jwt_payload", asMembers},
	}}
}

func caddy() format {
	return format{name: "Caddy", marks: []string{"request.uri", "request.method"}, names: []naming{
		{"time", "ts", asSeconds},
		{"request.method", "request.method", asIs}, {"request.url", "request.uri", asIs},
		{"request.url.host", "request.host", asIs}, {"request.url.scheme", "request.tls", asHTTPS},
		{"request.headers", "request.headers", asHeaders},
		{"response.status", "status", asStatus}, {"response.headers", "resp_headers", asHeaders},
		{"client_ip", "request.client_ip", asIs}, {"client_ip", "request.remote_ip", asIs},
	}}
}

func traefik() format {
	return format{name: "Traefik", marks: []string{"RequestMethod", "DownstreamStatus"}, names: []naming{
		{"time", "StartUTC", asTime}, {"time", "StartLocal", asTime}, {"time", "time", asTime},
		{"request.method", "RequestMethod", asIs}, {"request.url", "RequestPath", asIs},
		{"request.url.scheme", "RequestScheme", asIs}, {"request.url.host", "RequestAddr", asIs}, {"request.url.host", "RequestHost", asIs},
		{"response.status", "DownstreamStatus", asStatus}, {"response.status", "OriginStatus", asStatus},
		{"client_ip", "ClientHost", asIs}, {"user_agent", "request_User-Agent", asIs}, {"trace_id", "TraceId", asIs},
		{"request.headers", "request_", asHeadersBelow},
		{"response.headers", "downstream_", asHeadersBelow}, {"response.headers", "origin_", asHeadersBelow},
	}}
}

// apiGateway leaves claims alone, but for the client: its formats name single claims, and a token of which some are known
// would seem to lack the others.
func apiGateway() format {
	return format{name: "API Gateway", marks: []string{"requestId", "requestTime", "status"}, names: []naming{
		{"time", "requestTimeEpoch", asMillis}, {"time", "requestTime", asTime},
		{"request_id", "requestId", asIs},
		{"request.method", "httpMethod", asIs}, {"request.url", "path", asIs}, {"request.url", "resourcePath", asIs},
		{"request.method", "routeKey", asRoute},
		{"request.url.host", "domainName", asIs},
		{"response.status", "status", asStatus},
		{"client_ip", "ip", asIs}, {"client_ip", "sourceIp", asIs}, {"client_ip", "identity.sourceIp", asIs},
		{"user_agent", "userAgent", asIs}, {"user_agent", "identity.userAgent", asIs},
		{"error", "authorizer.error", asIs}, {"error", "authorizerError", asIs}, {"error", "error.message", asIs},
		{"error", "errorMessage", asIs}, {"error", "integrationErrorMessage", asIs},
		{"error", "error.responseType", asIs}, {"error", "errorResponseType", asIs},
		{"client_id", "authorizer.claims.client_id", asIs}, {"client_id", "authorizer.claims.azp", asIs},
	}}
}

// loadBalancer is AWS's Application Load Balancer, whose lines are made JSON under the names of the columns that its manual gives for
// Athena, or of Vector's parse_aws_alb_log. Its error_reason says why it refused a token itself.
func loadBalancer() format {
	return format{name: "AWS ALB", marks: []string{"elb_status_code", "request_url"}, names: []naming{
		{"time", "time", asTime}, {"time", "timestamp", asTime},
		{"request.method", "request_verb", asIs}, {"request.method", "request_method", asIs}, {"request.url", "request_url", asIs},
		{"response.status", "elb_status_code", asStatus}, {"error", "error_reason", asIs},
		{"client_ip", "client_ip", asIs}, {"client_ip", "client_host", asAddress}, {"user_agent", "user_agent", asIs}, {"trace_id", "trace_id", asIs},
	}}
}

// kong is what Kong's log plugins (file-log, http-log, tcp-log) send. The reason that its plugins give is in the response's headers.
func kong() format {
	return format{name: "Kong", marks: []string{"started_at", "latencies", "request.uri"}, names: []naming{
		{"time", "started_at", asMillis},
		{"request.method", "request.method", asIs}, {"request.url", "request.url", asIs}, {"request.url", "request.uri", asIs},
		{"request.headers", "request.headers", asHeaders}, {"request_id", "request.id", asIs},
		{"response.status", "response.status", asStatus}, {"response.headers", "response.headers", asHeaders},
		{"service", "service.name", asIs}, {"client_ip", "client_ip", asIs},
	}}
}

func haproxy() format {
	return format{name: "HAProxy", marks: []string{"http_request", "status_code"}, names: []naming{
		{"time.local", "request_date", asHAProxyTime}, {"time.local", "accept_date", asHAProxyTime},
		{"request.method", "http_request", asRequestLine},
		{"response.status", "status_code", asStatus}, {"client_ip", "client_ip", asIs},
	}}
}

func logpush() format {
	return format{name: "Cloudflare Logpush", marks: []string{"EdgeResponseStatus", "ClientRequestMethod"}, names: []naming{
		{"time", "EdgeStartTimestamp", asCloudflare}, {"id", "RayID", asIs}, {"request_id", "RayID", asIs},
		{"request.method", "ClientRequestMethod", asIs}, {"request.url", "ClientRequestURI", asIs}, {"request.url", "ClientRequestPath", asIs},
		{"request.url.scheme", "ClientRequestScheme", asIs}, {"request.url.host", "ClientRequestHost", asIs},
		{"request.headers", "RequestHeaders", asSomeHeaders},
		{"response.status", "EdgeResponseStatus", asStatus}, {"response.headers", "ResponseHeaders", asHeaders},
		{"client_ip", "ClientIP", asIs}, {"user_agent", "ClientRequestUserAgent", asIs},
	}}
}

// pino is the request logger of pino-http, whose shippers send to Elasticsearch and Loki. Its time is milliseconds.
func pino() format {
	return format{name: "pino-http", marks: []string{"req.method", "res.statusCode"}, names: []naming{
		{"time", "time", asMillis},
		{"request.method", "req.method", asIs}, {"request.url", "req.url", asIs}, {"request.headers", "req.headers", asHeaders},
		{"response.status", "res.statusCode", asStatus}, {"response.headers", "res.headers", asHeaders},
		{"client_ip", "req.remoteAddress", asIs}, {"error", "err.message", asIs},
	}}
}

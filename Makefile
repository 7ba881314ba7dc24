# make run and make test are all a stranger needs; each does its own set-up.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BIN = bin/authwatch
LISTEN = 127.0.0.1:8080
FUZZTIME = 10m
CORPORA = classify/testdata

.PHONY: run build test fuzz lint bench microbench crash corpus shippers clean chromium axe client prometheus grafana

run: build
	$(BIN) serve --demo --listen $(LISTEN)

build:
	go build -o $(BIN) ./cmd/authwatch

# Everything runs: a test that skips itself would be a failure that nobody sees.
test: lint chromium axe client prometheus grafana
	CI=true AUTHWATCH_REQUIRE_POSTGRES=1 AUTHWATCH_REQUIRE_BROWSER=1 AUTHWATCH_REQUIRE_CLIENT=1 AUTHWATCH_REQUIRE_PROMETHEUS=1 AUTHWATCH_REQUIRE_GRAFANA=1 \
		scripts/postgres.sh run scripts/test.sh
	go test -timeout 20m ./ingest # as a whole; the race detector saw a sample of what is tried exhaustively
	cd tools/corpus && go test .
	$(MAKE) shippers
	scripts/fuzz.sh 10s ./classify ./classify/profile
	scripts/fuzz.sh 5s ./ingest ./store

# Real log shippers deliver to the real authwatch: docs/shippers.md. Four at once, because some wait most of their time.
shippers:
	scripts/shippers.sh
	cd tools/shippers && go test -count=1 -parallel 4 -timeout 8m .

# As long as asked: make fuzz FUZZTIME=1h.
fuzz:
	scripts/fuzz.sh $(FUZZTIME) ./classify ./classify/profile ./ingest ./store

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

# The yardstick: the product beside a reference pipeline and the machine's limits. BENCH='-records 20000 -rounds 1' is a quick look.
bench:
	go run ./bench $(BENCH)

# Kills the server under load; CRASH='-kills 20 -seed 7' is a quick look at other moments, CRASH='-flood 30s' floods it instead.
crash:
	go run ./tools/crash $(CRASH)

# Each part by itself.
microbench:
	go test -run '^$$' -bench . -benchmem ./...

# Records all verifiers of tools/corpus again, ten minutes: docs/corpus.md.
corpus:
	tools/corpus/record.sh $(CORPORA)

clean:
	rm -rf bin

# The browser test drives Debian's Chromium.
chromium:
	@command -v chromium >/dev/null || scripts/install.sh chromium

# The rules of accessibility that the browser test applies to every page.
axe:
	@command -v npm >/dev/null || scripts/install.sh nodejs npm
	@cd tools/axe && npm ci --silent --no-audit --no-fund

# The generator of the client that runs the examples of docs/api.md.
client:
	@command -v npm >/dev/null || scripts/install.sh nodejs npm
	@command -v jq >/dev/null && command -v curl >/dev/null || scripts/install.sh jq curl
	@cd tools/client && npm ci --silent --no-audit --no-fund

# The tests check the shipped rules with promtool, let a real Prometheus answer the queries of rules and dashboard, and deliver alerts to a real Alertmanager.
prometheus:
	@command -v promtool >/dev/null && command -v prometheus >/dev/null && command -v prometheus-alertmanager >/dev/null || scripts/install.sh prometheus prometheus-alertmanager

# Grafana's own types of a dashboard, which the shipped one is held to.
grafana:
	@command -v npm >/dev/null || scripts/install.sh nodejs npm
	@cd tools/grafana && npm ci --silent --no-audit --no-fund

// Package demo makes up a believable week of traffic of an order-routing firm and of a clinic's integration, holding
// every failure of the two documents that authwatch grew from, and plays it through the real ingestion API. Server
// answers are the documents' and real verifiers' own words. It refuses to know the store: it is a log shipper.
package demo

// An environment is one installation that the clients talk to.
type environment struct {
	tokenEndpoint string
	issuer        string // of access tokens
	api           string // base URL, and the audience of access tokens
	form          bool   // token requests are form encoded, else JSON
	algorithm     string // of client assertions
	opaque        bool   // access tokens are no JWTs
}

func exchangeEnvironment(domain, api string) environment {
	return environment{
		tokenEndpoint: "https://" + domain + "/oauth/token",
		issuer:        "https://" + domain + "/",
		api:           api,
		algorithm:     "RS256",
	}
}

func exchangeDev() environment {
	return exchangeEnvironment("pmx-dev01.us.auth0.com", "https://api.dev01.polymarketexchange.com")
}

func exchangePreprod() environment {
	return exchangeEnvironment("pmx-preprod.us.auth0.com", "https://api.preprod.polymarketexchange.com")
}

func exchangeProd() environment {
	return exchangeEnvironment("pmx-prod.us.auth0.com", "https://api.polymarketexchange.com")
}

func healthAPI() environment {
	return environment{
		tokenEndpoint: "https://api.redoxengine.com/v2/auth/token",
		api:           "https://api.redoxengine.com",
		form:          true,
		algorithm:     "RS384",
		opaque:        true,
	}
}

// A call is one API operation.
type call struct{ method, path string }

// A client is one registered client of one environment, run by one service.
type client struct {
	environment
	service  string
	id       string // client id
	kid      string
	scope    string
	version  string // of the service, in its user agent
	calls    []call
	sessions float64 // token requests a day
	hours    [2]int  // UTC hours between which it is busy; outside them it does half
	shown    form    // how its log shipper reports tokens
}

// cast returns the clients with regular traffic.
func cast() []client {
	trading := []call{{"POST", "/v1/orders"}, {"GET", "/v1/orders/%s"}, {"DELETE", "/v1/orders/%s"}, {"GET", "/v1/orders"}}
	risk := []call{{"GET", "/v1/positions"}, {"GET", "/v1/accounts/whoami"}, {"GET", "/v1/orders"}}
	prod, preprod, dev, health := exchangeProd(), exchangePreprod(), exchangeDev(), healthAPI()
	always, market, clinic := [2]int{0, 24}, [2]int{12, 22}, [2]int{6, 18}
	return []client{
		{prod, "order-router", "order-router-prod", "order-router-prod-1", "read:orders write:orders", "2.13.4", trading, 300, market, raw},
		{prod, "market-data", "market-data-prod", "market-data-prod-1", "read:marketdata", "1.8.0", []call{{"GET", "/v1/marketdata/%s"}, {"GET", "/v1/markets"}}, 140, always, decoded},
		{prod, "risk-engine", "risk-engine-prod", "risk-engine-prod-2", "read:orders read:positions", "4.0.2", risk, 100, market, decoded},
		{prod, "settlement", "settlement-prod", "settlement-prod-1", "read:orders read:positions", "0.9.7", risk[:2], 60, always, decoded},
		{prod, "position-reports", "position-reports-prod", "position-reports-prod-1", "read:orders read:positions", "1.2.0", risk[:1], 60, market, apart},
		{preprod, "order-router", "order-router-preprod", "order-router-preprod-1", "read:orders write:orders", "2.14.0-rc2", trading, 40, market, decoded},
		{preprod, "risk-engine", "risk-engine-preprod", "risk-engine-preprod-1", "read:orders read:positions", "4.1.0-rc1", risk, 30, market, apart},
		{dev, "order-router", "order-router-dev", "order-router-dev-1", "read:orders write:orders", "2.15.0-dev", trading, 30, market, decoded},
		{health, "clinic-scheduling", "clinic-scheduling", "clinic-scheduling-2026", "", "3.1.0", []call{{"POST", "/fhir/R4/clinic/Production/Appointment/_search"}, {"POST", "/endpoint"}}, 90, clinic, decoded},
		{health, "clinic-results", "clinic-results", "clinic-results-2025", "", "2.6.1", []call{{"POST", "/fhir/R4/clinic/Production/Observation/_search"}, {"POST", "/endpoint"}}, 60, clinic, raw},
	}
}

// newcomer is a client that its developers are only now connecting to the exchange: it makes every mistake of the guide.
func newcomer() client {
	return client{exchangeDev(), "algo-sandbox", "algo-sandbox-dev", "algo-sandbox-dev-1", "read:orders", "0.1.0",
		[]call{{"GET", "/v1/orders"}, {"GET", "/v1/accounts/whoami"}}, 24, [2]int{8, 19}, decoded}
}

// intake is the clinic's new service: it makes every mistake of the health API's table.
func intake() client {
	return client{healthAPI(), "clinic-intake", "clinic-intake", "clinic-intake-2026", "", "0.3.0",
		[]call{{"POST", "/fhir/R4/clinic/Production/Patient/_search"}}, 12, [2]int{7, 17}, decoded}
}

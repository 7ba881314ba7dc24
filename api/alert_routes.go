package api

import "net/http"

// alertRoutes are the routes of rules, silences and what was told, for programs.
func (s *Server) alertRoutes() []route {
	return []route{
		{http.MethodGet, "/api/v1/rules", apiRead, s.listRules},
		{http.MethodPost, "/api/v1/rules", apiRespond, s.once(s.addRule)},
		{http.MethodPost, "/api/v1/rules/preview", apiRead, s.previewRule},
		{http.MethodGet, "/api/v1/rules/:id", apiRead, s.getRule},
		{http.MethodPut, "/api/v1/rules/:id", apiRespond, s.putRule},
		{http.MethodDelete, "/api/v1/rules/:id", apiRespond, s.deleteRule},
		{http.MethodGet, "/api/v1/silences", apiRead, s.listSilences},
		{http.MethodPost, "/api/v1/silences", apiRespond, s.once(s.addSilence)},
		{http.MethodDelete, "/api/v1/silences/:id", apiRespond, s.endSilence},
		{http.MethodGet, "/api/v1/alerts", apiRead, s.listAlerts},
		{http.MethodGet, "/api/v1/deliveries", apiRead, s.listDeliveries},
		{http.MethodGet, "/api/v1/receivers", apiRead, s.listReceivers},
		{http.MethodPost, "/api/v1/receivers/:name/test", apiRespond, s.onceOutside(s.testReceiver)},
	}
}

// alertPageRoutes are the same for people.
func (s *Server) alertPageRoutes() []route {
	return []route{
		{http.MethodGet, "/alerts", pageViewer, s.alertsPage},
		{http.MethodGet, "/alerts/rules/new", pageResponder, s.newRulePage},
		{http.MethodPost, "/alerts/rules", pageResponder, s.saveRule},
		{http.MethodGet, "/alerts/rules/:id", pageViewer, s.rulePage},
		{http.MethodPost, "/alerts/rules/:id", pageResponder, s.saveRule},
		{http.MethodPost, "/alerts/rules/:id/delete", pageResponder, s.deleteRuleForm},
		{http.MethodPost, "/alerts/silences", pageResponder, s.addSilenceForm},
		{http.MethodPost, "/alerts/silences/:id/end", pageResponder, s.endSilenceForm},
		{http.MethodPost, "/alerts/receivers/:name/test", pageResponder, s.testReceiverForm},
	}
}

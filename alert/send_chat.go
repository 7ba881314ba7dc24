package alert

import (
	"context"
	"strings"

	"authwatch/store"
)

// slack posts to an incoming webhook of Slack, or of what speaks like it (Mattermost, Rocket.Chat, Discord with /slack).
type slack struct{ settings }

func (r slack) send(ctx context.Context, n note) error {
	return r.post(ctx, r.address, map[string]string{"text": slackText(n.message)}, nil)
}

// slackText is mrkdwn. &, < and > are escaped as Slack asks, so that no name from a log becomes a link or calls everybody.
func slackText(m Message) string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	mark := ":rotating_light:"
	switch m.Status {
	case store.DeliverResolved:
		mark = ":white_check_mark:"
	case store.DeliverTest:
		mark = ":wrench:"
	}
	text := strings.TrimSuffix(m.Text, m.URL)
	return mark + " " + escape.Replace(text) + "<" + escape.Replace(m.URL) + "|Open in authwatch>"
}

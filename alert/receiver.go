package alert

import (
	"context"
	"time"
)

// A Receiver is a place that is told of alerts.
type Receiver struct {
	Name   string
	Kind   string // alertmanager, email, pagerduty, slack or webhook
	Target string // host that it is at, for people; never a secret
	renew  bool   // forgets what is not repeated
	send   func(ctx context.Context, n note) error
}

// A note is one message on its way to one receiver.
type note struct {
	delivery string // id: the same for each attempt
	message  Message
	now      time.Time
}

// A secret is read from a file or a variable and shows in no text that is made of it.
type secret struct{ text string }

// String hides the secret from every verb of fmt, from slog and, since it has no exported field, from encoders.
func (secret) String() string { return "[secret]" }

// GoString does so for %#v.
func (secret) GoString() string { return "[secret]" }

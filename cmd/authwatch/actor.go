package main

import (
	"context"
	"os/user"

	"authwatch/store"
)

// asOperator names the account at the command line in the audit log for what is done under the context.
func asOperator(ctx context.Context) context.Context {
	actor := store.Actor{Via: store.ViaCommand}
	if account, err := user.Current(); err == nil { // a container may run as a number without a name
		actor.Name = account.Username
	}
	return store.WithActor(ctx, actor)
}

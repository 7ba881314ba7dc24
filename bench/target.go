package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Two plain servers stand beside the product, each a process of its own as the product is: the reference pipeline and
// the limit that reading and splitting set.

// serveTarget serves take under / until a signal comes and says where it listens the way authwatch does. take returns
// how many records of a body it has dealt with.
func serveTarget(ctx context.Context, take func(body []byte) (int, error)) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	srv := &http.Server{Handler: targetHandler(take, log)}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	log.Info("listening", "address", listener.Addr().String())
	if err := srv.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

func targetHandler(take func(body []byte) (int, error), log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readWhole(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		n, err := take(body)
		if err != nil {
			log.Error("take batch", "err", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]int{"accepted": n}) // an error means that the sender has gone
	})
}

// readWhole reads a body of known length at once: growing a buffer step by step would cost more than the splitting.
func readWhole(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return body, nil
}

// split is the limit of reading and splitting only: it finds every line and looks at none.
func split(body []byte) (int, error) {
	n := 0
	for len(body) > 0 {
		end := bytes.IndexByte(body, '\n')
		if end < 0 {
			return n + 1, nil
		}
		body = body[end+1:]
		n++
	}
	return n, nil
}

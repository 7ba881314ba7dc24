-- +goose Up

-- The entries that follow the row's own, in order. SQLite files many in a row; see store/request.go.
alter table failure_request add column more bytea not null default '';
